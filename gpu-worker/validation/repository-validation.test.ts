import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { createNodeFileTree } from '../adapters/node-file-tree.ts'
import { openRepository } from '../adapters/simple-git.ts'
import { createTreeSitterPool } from '../adapters/tree-sitter-pool.ts'
import { createSettingsSource } from '../gates/settings-source.ts'
import type { FileEntry } from '../ports/file-tree.ts'
import { visible } from '../tools/files.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import { createRepositoryValidation, type RepositoryReport, type ValidationPorts } from './repository-validation.ts'

let temporary: TempRepository
afterEach(() => temporary?.remove())

async function open(sources: Record<string, string>, more: Partial<ValidationPorts> = {}) {
  temporary = await createTempRepository(sources)
  const files = await createNodeFileTree({ root: temporary.root })
  const repository = await openRepository({ root: temporary.root })
  const validation = createRepositoryValidation({
    files,
    repository,
    settings: createSettingsSource(files),
    list: (signal) => visible({ files, repository }, '', null, signal),
    createParser: () => createTreeSitterPool(1),
    registry: null,
    ...more,
  })
  const seen: JobProgress[] = []
  return {
    seen,
    run: (paths: string[] | null = null, signal = new AbortController().signal) =>
      validation.run(paths, { signal, onProgress: (progress) => seen.push(progress) }),
  }
}

const lines = ({ findings }: RepositoryReport): string[] =>
  findings
    .map(({ rule, severity, path, line }) => `${rule} ${severity} ${path}${line === null ? '' : `:${line}`}`)
    .toSorted()

const good = 'def run():\n    return 1\n'
const settings = (value: object): string => JSON.stringify(value)

describe('createRepositoryValidation', () => {
  it('has the figures of each file, also of one that it knows from before', async () => {
    const { run } = await open({
      'src/run.py': 'def run(a, b):\n    if a and b:\n        return 1\n    return 2\n\n\ndef two():\n    pass\n',
      'notes.md': '# A\n\nText\n',
    })
    const figures = [
      { path: 'notes.md', lines: 3, functions: null, cyclomatic: null, cognitive: null },
      { path: 'src/run.py', lines: 8, functions: 2, cyclomatic: 3, cognitive: 2 },
    ]
    expect((await run()).files).toEqual(figures)
    const again = await run()
    expect(again.filesKnown).toBe(2)
    expect(again.files).toEqual(figures)
  })

  it('finds what each rule does not want, with file and line', async () => {
    const { run, seen } = await open({
      'README.md': '# A\n',
      'millwright.json': settings({
        checks: {
          forbidden_pattern: [{ pattern: 'eval\\(', message: 'No eval' }],
          missing_docs: { languages: ['python'] },
          severities: { missing_docs: 'warning' },
          naming: [
            { of: 'folders', style: 'snake_case' },
            { of: 'files', files: '*.py', style: 'snake_case' },
          ],
        },
      }),
      '.gitignore': 'built/\n',
      'built/bad.py': 'def (:\n',
      'src/good.py': 'def run():\n    "Runs."\n    return 1\n',
      'src/broken.py': 'x = 1\ndef run(:\n',
      'src/long.py': 'x = 1\n'.repeat(301),
      'src/Bad-Name.py': good,
      'src/myViews/one.py': 'x = eval("1")\n',
      'src/myViews/deep/two.py': 'x = 1\n',
      'tests/test_good.py': 'def test_it():\n    pass\n',
      'packages/a/package.json': '{}',
      'key.py': `key = "AKIA${'ABCDEFGHIJKLMNOP'}"\n`,
    })
    const report = await run()
    expect(lines(report)).toEqual([
      'forbidden_pattern error src/myViews/one.py:1',
      'line_limit error src/long.py',
      'missing_docs warning src/Bad-Name.py:1',
      'missing_readmes warning packages/a/README.md',
      'missing_tests warning key.py',
      'missing_tests warning src/Bad-Name.py',
      'missing_tests warning src/broken.py',
      'missing_tests warning src/long.py',
      'missing_tests warning src/myViews/deep/two.py',
      'missing_tests warning src/myViews/one.py',
      'naming error src/Bad-Name.py',
      'naming error src/myViews',
      'secrets error key.py:1',
      'syntax error src/broken.py:2',
    ])
    expect(report).toMatchObject({ passed: false, incomplete: null, filesChecked: 12, filesSkipped: 0, errorCount: 6 })
    const tests = report.tallies.find(({ rule }) => rule === 'missing_tests')
    expect(tests).toMatchObject({ passed: 1, failed: 6 })
    expect(report.notRun).toEqual([{ rule: 'ownership', reason: 'no server was asked for its agents' }])
    expect(seen[0]).toMatchObject({ phase: 'scanning' })
  })

  it('judges only what it is asked about, and knows that the rest is there', async () => {
    const sources = { 'src/a.py': good, 'src/b.py': 'def (:\n', 'tests/test_a.py': good, 'c.py': 'def (:\n' }
    const { run } = await open(sources)
    expect(lines(await run(['src/a.py']))).toEqual([])
    expect(lines(await run(['src/', './tests']))).toEqual(['missing_tests warning src/b.py', 'syntax error src/b.py:1'])
    expect(lines(await run(['.']))).toContain('syntax error c.py:1')
    await expect(run(['src/none.py'])).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('none.py'),
    })
    await expect(run(['../x'])).rejects.toMatchObject({ code: 'outside_repository' })
    await expect(run(['src/a'])).rejects.toMatchObject({ code: 'not_found' })
  })

  it('checks a file again when it or the rules have changed, and only then', async () => {
    const { run } = await open({ 'a.py': good, 'b.py': good, 'README.md': '# A\n' })
    expect((await run()).filesKnown).toBe(0)
    expect((await run()).filesKnown).toBe(3)
    temporary.write('a.py', 'def (:\n')
    const second = await run()
    expect(second.filesKnown).toBe(2)
    expect(lines(second)).toContain('syntax error a.py:1')
    // From memory, and still said.
    expect(lines(await run())).toContain('syntax error a.py:1')
    temporary.write('millwright.json', settings({ checks: { line_limit: { lines: 1 } } }))
    const third = await run()
    expect(third.filesKnown).toBe(0)
    expect(lines(third)).toContain('line_limit error b.py')
  })

  it('says a wrong configuration once, and checks by the usual rules', async () => {
    const { run } = await open({ 'a.py': 'def (:\n', 'b.py': good, 'millwright.json': '{ "check": {} }' })
    const report = await run(['a.py'])
    expect(lines(report)).toEqual([
      'configuration error millwright.json',
      'missing_tests warning a.py',
      'syntax error a.py:1',
    ])
    expect(report.findings.find(({ rule }) => rule === 'configuration')?.message).toContain('check: unknown field')
  })

  it('switches rules off, and says which', async () => {
    const severities = { missing_tests: 'off', missing_readmes: 'off', syntax: 'off', naming: 'off' }
    const checks = { severities, commands: [{ name: 'lint', run: ['ruff'] }] }
    const { run } = await open({ 'a.py': 'def (:\n', 'millwright.json': settings({ checks }) })
    const report = await run()
    expect(lines(report)).toEqual([])
    expect(report.notRun.map(({ rule }) => rule).toSorted()).toEqual([
      'command:lint',
      'missing_docs',
      'missing_readmes',
      'missing_tests',
      'naming',
      'ownership',
      'syntax',
    ])
  })

  it('passes over what is no text, too large, protected, a link or named in a way that nobody could write', async () => {
    const { run } = await open({ 'README.md': '# A\n' })
    temporary.write('image.png', new Uint8Array([0x89, 0x50, 0, 1]))
    temporary.write('latin.py', new Uint8Array([0x78, 0x3d, 0xe9, 0x0a]))
    temporary.write('huge.py', 'x = 1\n'.repeat(FILE_BYTES_MAX / 6 + 1))
    temporary.write('secret/id_rsa', 'x\n')
    writeFileSync(join(temporary.root, 'line\nbreak.py'), 'def (:\n')
    writeFileSync(join(temporary.root, 'esc\u001b[2J.py'), 'def (:\n')
    writeFileSync(join(temporary.folder, 'outside.py'), 'def (:\n')
    symlinkSync(join(temporary.folder, 'outside.py'), join(temporary.root, 'link.py'))
    const report = await run()
    expect(report.filesSkipped).toBe(4)
    expect(report.skipped).toEqual([
      { path: 'huge.py', reason: `larger than ${FILE_BYTES_MAX} bytes` },
      { path: 'image.png', reason: 'no text' },
      { path: 'latin.py', reason: 'no text' },
      { path: 'secret/id_rsa', reason: 'protected' },
    ])
    expect(lines(report)).toEqual(['missing_tests warning huge.py', 'missing_tests warning latin.py'])
  })

  it('is not held up by patterns and texts that are made to', async () => {
    const { run } = await open({
      'README.md': '# A\n',
      'a.md': `${'a'.repeat(50_000)}!\n`,
      'millwright.json': settings({
        checks: {
          forbidden_pattern: [{ pattern: '^(a+)+$', message: 'No' }],
          naming: [{ of: 'files', style: 'any', allow: ['(a*)*b'] }],
        },
      }),
    })
    expect(lines(await run())).toEqual([])
  })

  it('stops in the middle when it is cancelled', async () => {
    const cancel = new AbortController()
    const sources = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`m${at}.py`, good]))
    let parses = 0
    const { run } = await open(sources, {
      createParser: () => {
        const pool = createTreeSitterPool(1)
        return {
          ...pool,
          parse(...args) {
            if (++parses === 10) cancel.abort()
            return pool.parse(...args)
          },
        }
      },
    })
    await expect(run(null, cancel.signal)).rejects.toMatchObject({ code: 'cancelled' })
    expect(parses).toBeLessThan(40)
  })

  it('stops while it still looks for files', async () => {
    const { run } = await open({ 'a.py': good })
    await expect(run(null, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('looks at a bounded number of entries, and does not call that passed', async () => {
    let folders = 0
    async function* endless(): AsyncIterable<FileEntry> {
      for (;;) yield { path: parseRepositoryPath(`d${folders++}`), key: '', kind: 'folder', bytes: null }
    }
    const { run } = await open({ 'README.md': '# A\n' }, { list: endless })
    const report = await run()
    expect(report).toMatchObject({ passed: false, errorCount: 0 })
    expect(report.incomplete).toContain('more than 200000 files and folders')
    expect(folders).toBe(200_001)
  })

  it('asks no README of folders without files', async () => {
    const checks = { missing_readmes: { folders: ['**'] }, severities: { missing_tests: 'off' } }
    const { run } = await open({ 'a/b/x.txt': 'x\n', 'c/Readme.rst': 'x\n', 'millwright.json': settings({ checks }) })
    mkdirSync(join(temporary.root, 'empty', 'inner'), { recursive: true })
    expect(lines(await run())).toEqual([
      'missing_readmes warning README.md',
      'missing_readmes warning a/README.md',
      'missing_readmes warning a/b/README.md',
    ])
  })
})
