import { describe, expect, it } from 'vitest'
import { parseSettings } from './settings.ts'

const parse = (...tests: object[]) => parseSettings(JSON.stringify({ tests })).tests
const unit = { name: 'unit', runner: 'pytest', run: ['python3', '-m', 'pytest'] }

describe('tests of millwright.json', () => {
  it('are none unless told, and have limits unless told', () => {
    expect(parse()).toEqual([])
    expect(parseSettings('{}').tests).toEqual([])
    const [test] = parse(unit)
    expect(test).toMatchObject({ ...unit, timeoutMs: 600_000, scratchFolders: [] })
    expect(test?.matches('any/file.py')).toBe(true)
  })

  it('take every key', () => {
    const [test] = parse({ ...unit, files: 'src/**', timeout_s: 1800, scratch: ['build/', 'a'] })
    expect(test).toMatchObject({ timeoutMs: 1_800_000, scratchFolders: ['build', 'a'] })
    expect(test?.matches('src/a.py')).toBe(true)
    expect(test?.matches('test/a.py')).toBe(false)
  })

  it.each<[string, object[], string]>([
    ['a runner that nobody knows', [{ ...unit, runner: 'mocha' }], 'tests.0.runner: expected'],
    ['no runner', [{ name: 'a', run: ['a'] }], 'tests.0.runner'],
    ['no command', [{ ...unit, run: [] }], 'tests.0.run'],
    ['a shell string', [{ ...unit, run: 'pytest -x' }], 'tests.0.run: expected Array'],
    ['a NUL', [{ ...unit, run: ['a\0b'] }], 'tests.0.run: must be a program and its arguments'],
    ['node without its runner', [{ ...unit, runner: 'node', run: ['node', 'a.js'] }], 'tests.0.run: must have --test'],
    ['a name that is none', [{ ...unit, name: 'Unit tests' }], 'tests.0.name: must be lower-case'],
    ['one name twice', [unit, unit], 'tests.1.name: there are two test runners "unit"'],
    ['more time than a job has', [{ ...unit, timeout_s: 1801 }], 'tests.0.timeout_s: must be at most 1800'],
    ['a scratch folder outside', [{ ...unit, scratch: ['../a'] }], 'tests.0.scratch.0: must be the path'],
    ['a broken glob', [{ ...unit, files: '{a' }], 'tests.0.files: brackets'],
    ['an unknown key', [{ ...unit, shell: true }], 'tests.0.shell: unknown field'],
  ])('refuse %s, naming the key', (_what, tests, message) => {
    expect(() => parse(...tests)).toThrow(message)
  })
})
