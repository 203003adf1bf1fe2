import { describe, expect, it } from 'vitest'
import { lineLimitOf } from '#gpu-worker/gates/line-limit.ts'
import { parseSettings } from '#gpu-worker/gates/settings.ts'
import { composeSettings } from './compose.ts'
import { findLinters } from './linters.ts'

const compose = (lineCounts: Record<string, number>, more: string[] = []) =>
  composeSettings({
    files: [...Object.keys(lineCounts), ...more].toSorted(),
    lineCounts: new Map(Object.entries(lineCounts)),
    manifests: new Map(),
  })

describe('composeSettings', () => {
  it('gives limits that hold today, however many files are long', () => {
    const counts = Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`src/m${at}.py`, 250 + at * 10]))
    const { settings, notes } = compose(counts)
    expect(settings.checks?.line_limit?.files).toHaveLength(50)
    const { lineLimits } = parseSettings(JSON.stringify(settings))
    for (const [path, lines] of Object.entries(counts))
      expect(lineLimitOf(lineLimits, path, true), path).toBeGreaterThanOrEqual(lines)
    expect(notes.join('\n')).toContain('74 files of code are longer than 300 lines: 50 of them')
  })

  it('takes the limit of a file whose path is too long for a glob for that of all', () => {
    const path = `${'folder/'.repeat(80)}a.py`
    const { settings } = compose({ [path]: 500, 'b.py': 600 })
    expect(settings.checks?.line_limit).toEqual({ lines: 500, files: [{ glob: '/b.py', lines: 600 }] })
  })

  it('finds how files are named where all are named alike', () => {
    const names = ['user-store', 'order-list', 'main', 'a', 'b'].map((name) => `src/${name}.ts`)
    const naming = (paths: string[]) =>
      compose(Object.fromEntries(paths.map((path) => [path, 1]))).settings.checks?.naming
    expect(naming(names)).toEqual([{ of: 'files', files: '*.{ts,mts,cts,js,mjs,cjs}', style: 'kebab-case' }])
    expect(naming([...names, 'src/UserView.ts'])).toBeUndefined()
    // Nothing tells.
    expect(naming(['a', 'b', 'c', 'd', 'e'].map((name) => `${name}.ts`))).toBeUndefined()
  })

  it('finds where tests stand, language by language', () => {
    const { settings } = compose({
      'src/a.ts': 1,
      'src/a.test.ts': 1,
      'src/b.ts': 1,
      'src/__tests__/b.ts': 1,
      'lib/c.py': 1,
    })
    expect(settings.checks?.missing_tests?.map(({ files, tests }) => [files, tests])).toEqual([
      ['*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}', ['{dir}/{name}.test.{ext}', '{dir}/__tests__/{name}.{ext}']],
    ])
  })

  it('writes only what the worker takes, for an empty repository too', () => {
    const { settings, notes } = compose({})
    expect(() => parseSettings(JSON.stringify(settings))).not.toThrow()
    expect(notes[0]).toBe('0 files, none of them code')
  })
})

describe('findLinters', () => {
  it('names those that are configured at the top, and no other', () => {
    const survey = {
      files: ['biome.json', 'sub/ruff.toml', 'tsconfig.json'],
      lineCounts: new Map(),
      manifests: new Map([['pyproject.toml', '[tool.mypy]\nstrict = true\n[tool.ruffian]\n']]),
    }
    expect(findLinters(survey).map(({ found }) => found)).toEqual([
      'mypy in pyproject.toml',
      'biome.json',
      'tsconfig.json',
    ])
  })
})
