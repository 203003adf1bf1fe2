import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { createBubblewrapRunner } from '../adapters/bubblewrap-runner.ts'
import { createNoCommandRunner } from '../adapters/no-command-runner.ts'
import { createNodeFileTree } from '../adapters/node-file-tree.ts'
import { createTreeSitterParser } from '../adapters/tree-sitter-parser.ts'
import { createUnsandboxedRunner } from '../adapters/unsandboxed-runner.ts'
import type { CommandRunner } from '../ports/command-runner.ts'
import type { CheckRequest, FileChecker } from '../ports/file-checker.ts'
import { createProtectedPaths } from '../workspace/protected-paths.ts'
import { createFileChecker } from './file-checker.ts'
import { createSettingsSource } from './settings-source.ts'

const bubblewrap = await findBubblewrapForTests()
const title = 'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''

describe.skipIf('missing' in bubblewrap)(`the commands of millwright.json${title}`, () => {
  let world: TempRepository
  let data: string
  const checkers: FileChecker[] = []
  let checker: FileChecker

  async function checkerWith(runner: CommandRunner): Promise<FileChecker> {
    const settings = createSettingsSource(await createNodeFileTree({ root: world.root }))
    const made = createFileChecker({ parser: createTreeSitterParser(), settings, runner })
    checkers.push(made)
    return made
  }
  const common = () => ({ root: world.root, protectedPaths: createProtectedPaths(), workFolder: data })

  beforeAll(async () => {
    world = await createTempRepository({ 'README.md': '# Sample\n' })
    data = join(world.folder, 'data')
    mkdirSync(data)
    if ('missing' in bubblewrap) return
    checker = await checkerWith(createBubblewrapRunner({ ...common(), bubblewrap, folders: [], hiddenFolders: [data] }))
  })
  afterAll(async () => {
    for (const each of checkers) await each.close()
    world.remove()
  })
  beforeEach(() => world.write('src/a.py', 'x = 1\n'))

  const configure = (...commands: object[]) => world.write('millwright.json', JSON.stringify({ checks: { commands } }))
  const check = async (text: string, more: Partial<CheckRequest> = {}, by = checker) =>
    (await by.check({ path: 'src/a.py', text, before: 'x = 1\n', ...more })).checks
  /** A linter: complains of each line that holds a `9`. */
  const lint = { name: 'lint', run: ['sh', '-c', 'if grep -n 9 "$1"; then exit 1; fi', 'lint', '{file}'] }

  it('judge the text before it lands', async () => {
    configure(lint)
    const good = await check('x = 2\n')
    expect(good).toMatchObject({ passed: true, violations: [] })
    expect(good.ran.at(-1)).toBe('command:lint')
    const bad = await check('x = 9\n')
    expect(bad.passed).toBe(false)
    expect(bad.violations).toEqual([
      {
        rule: 'command:lint',
        severity: 'error',
        line: null,
        column: null,
        message:
          '`sh -c \'if grep -n 9 "$1"; then exit 1; fi\' lint src/a.py` failed with exit status 1: mend the file so that it passes. It printed:\n    1:x = 9',
      },
    ])
    expect(world.read('src/a.py')).toBe('x = 1\n')
  })

  it('see the rest of the repository, as tests must', async () => {
    world.write('test_a.sh', '. ./src/a.py 2>/dev/null; grep -q "x = 2" src/a.py || { echo "x is not 2"; exit 3; }\n')
    configure({ name: 'test', run: ['sh', 'test_a.sh'] })
    expect((await check('x = 2\n')).passed).toBe(true)
    const refused = await check('x = 3\ny = 1\n', { path: 'src/b.py', before: null })
    // Not this file's doing: without it the tests fail in the very same way.
    expect(refused).toMatchObject({ passed: true, violations: [{ severity: 'warning' }] })
  })

  it('weigh what the configuration says', async () => {
    configure({ ...lint, severity: 'warning' })
    expect(await check('x = 9\n')).toMatchObject({ passed: true, violations: [{ severity: 'warning' }] })
    configure({ ...lint, severity: 'off' })
    expect(await check('x = 9\n')).toMatchObject({
      violations: [],
      skipped: expect.arrayContaining([{ rule: 'command:lint', reason: 'switched off in millwright.json' }]),
    })
    configure({ ...lint, files: 'test/**' })
    const other = await check('x = 9\n')
    expect(other.passed).toBe(true)
    expect(JSON.stringify(other)).not.toContain('command:lint')
  })

  it('wait until all other checks have passed, and for one another', async () => {
    configure(lint, { name: 'second', run: ['false'] })
    expect(await check('x = (\n')).toMatchObject({
      violations: [{ rule: 'syntax' }],
      skipped: expect.arrayContaining([{ rule: 'command:lint', reason: 'another check failed first' }]),
    })
    expect(await check('x = 9\n')).toMatchObject({
      violations: [{ rule: 'command:lint' }],
      skipped: expect.arrayContaining([{ rule: 'command:second', reason: 'command:lint failed first' }]),
    })
  })

  it('let stand what was there before, and refuse what is worse', async () => {
    configure(lint)
    const before = 'x = 9\ny = 1\n'
    world.write('src/a.py', before)
    const old = await check('y = 2\n\nx = 9\n', { before })
    expect(old).toMatchObject({ passed: true, violations: [{ severity: 'warning' }] })
    expect(old.violations[0]?.message).toMatch(/^As before the change: /)
    expect((await check('x = 9\nx = 9\n', { before })).passed).toBe(false)
    expect((await check('x = 99\nz = 9\n', { before })).passed).toBe(false)
  })

  it('do not pass a file that they cannot see, since it lies in a folder that they find empty', async () => {
    configure({ name: 'blind', run: ['true'], scratch: ['src'] })
    expect(await check('x = 2\n')).toMatchObject({
      passed: false,
      violations: [{ rule: 'command:blind', message: expect.stringContaining('lies in its scratch folder src') }],
    })
    await expect(checker.rules('src/a.py')).rejects.toMatchObject({ code: 'checks_failed' })
    configure({ name: 'blind', run: ['true'], scratch: ['src'], severity: 'warning' })
    expect((await check('x = 2\n')).skipped).toContainEqual(expect.objectContaining({ rule: 'command:blind' }))
  })

  it('refuse what is worse in the part of a long output that nobody is shown', async () => {
    const long = 'for i in $(seq 2000); do echo "line $i is long enough"; done'
    configure({ name: 'long', run: ['sh', '-c', `${long}; grep -n 9 "$1"; ${long}; exit 1`, 'long', '{file}'] })
    const before = 'x = 9\n'
    world.write('src/a.py', before)
    expect((await check('x = 9\ny = 1\n', { before })).passed).toBe(true)
    expect((await check('x = 9\nworse = 9\n', { before })).passed).toBe(false)
  })

  it('refuse where they are required and cannot run', async () => {
    configure({ name: 'lint', run: ['no-such-linter', '{file}'] })
    const refused = await check('x = 2\n')
    expect(refused).toMatchObject({ passed: false, violations: [{ rule: 'command:lint', severity: 'error' }] })
    expect(refused.violations[0]?.message).toContain('the program no-such-linter was not found')
    expect(refused.ran).not.toContain('command:lint')
    configure({ name: 'lint', run: ['no-such-linter', '{file}'], severity: 'warning' })
    expect(await check('x = 2\n')).toMatchObject({
      passed: true,
      skipped: expect.arrayContaining([{ rule: 'command:lint', reason: expect.stringContaining('was not found') }]),
    })
  })

  it('are said to the model, or keep it from being asked', async () => {
    configure({ name: 'lint', run: ['grep', '-c', 'x', '{file}'] })
    expect((await checker.rules('src/a.py')).at(-1)).toBe('`grep -c x src/a.py` succeeds')
    const none = await checkerWith(createNoCommandRunner('bubblewrap is not installed. Install it'))
    await expect(none.rules('src/a.py')).rejects.toMatchObject({
      code: 'checks_failed',
      message: expect.stringContaining('could not run: bubblewrap is not installed. Install it'),
      details: { checks: { ran: [] } },
    })
    expect((await check('x = 2\n', {}, none)).passed).toBe(false)
  })

  it('say that a short call has no time for them', async () => {
    configure({ name: 'slow', run: ['sleep', '60'], timeout_s: 120 })
    const refused = await check('x = 2\n', { deadline: Date.now() + 2500 })
    expect(refused.passed).toBe(false)
    expect(refused.violations[0]?.message).toContain(
      'it did not end in the 0 s that this call had left, and may take 120 s. Give the change to an agent',
    )
    configure({ name: 'slow', run: ['sleep', '60'], timeout_s: 1 })
    expect((await check('x = 2\n')).violations[0]?.message).toContain('was stopped: it did not end within 1 s')
  })

  it('say when they ran without a sandbox, and leave the repository alone then too', async () => {
    configure(lint, { name: 'write', run: ['sh', '-c', 'echo x > README.md; ! cat .env'] })
    world.write('.env', 'topsecret\n')
    const runner = createUnsandboxedRunner({ ...common(), searchPath: process.env.PATH ?? '' })
    const without = await checkerWith(runner)
    const good = await check('x = 2\n', {}, without)
    expect(good).toMatchObject({ passed: true })
    expect(good.ran.slice(-2)).toEqual(['command:lint (without a sandbox)', 'command:write (without a sandbox)'])
    expect(world.read('README.md')).toBe('# Sample\n')
    expect((await check('x = 9\n', {}, without)).violations[0]?.message).toContain('1:x = 9')
    const stopped = await runner.run({
      commandLine: ['sleep', '60'],
      candidates: [],
      scratchFolders: [],
      timeoutMs: 300,
    })
    expect(stopped).toMatchObject({ kind: 'stopped', why: 'time' })
  })
})
