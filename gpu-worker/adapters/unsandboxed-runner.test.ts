import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTempRepository, hashTree, type TempRepository } from '#test/support/temp-repository.ts'
import type { CommandRequest, CommandRunner } from '../ports/command-runner.ts'
import { createProtectedPaths } from '../workspace/protected-paths.ts'
import { createUnsandboxedRunner } from './unsandboxed-runner.ts'

describe('createUnsandboxedRunner', () => {
  let world: TempRepository
  let runner: CommandRunner
  beforeAll(async () => {
    world = await createTempRepository({
      'src/a.py': 'x = 1\n',
      'vendor/lib/b.py': 'y = 2\n',
      'src/target/c.py': 'z = 3\n',
      'node_modules/tool/index.js': '7\n',
      'node_modules/.vite/kept': 'cache\n',
      '.env': 'topsecret\n',
    })
    const workFolder = join(world.folder, 'data')
    mkdirSync(workFolder)
    runner = createUnsandboxedRunner({
      root: world.root,
      protectedPaths: createProtectedPaths(),
      workFolder,
      searchPath: process.env.PATH ?? '',
    })
  })
  afterAll(() => world.remove())

  const sh = (script: string, options: Partial<CommandRequest> = {}) =>
    runner.run({
      commandLine: ['sh', '-c', script],
      candidates: [],
      scratchFolders: [],
      timeoutMs: 20_000,
      ...options,
    })

  it.each(['src/a.py', 'vendor/lib/b.py', 'vendor/new/d.py', 'src/target/c.py', 'node_modules/tool/new.js'])(
    'shows a candidate at %s and leaves the repository alone',
    async (path) => {
      const before = hashTree(world.root)
      const script = `cat ${path} node_modules/tool/index.js; ls -A vendor/lib src/target; cat .env`
      const { output } = await sh(script, { candidates: [{ path, text: 'candidate\n' }] })
      expect(output).toMatch(/^candidate\n7\n/)
      expect(output).toMatch(/c\.py[\s\S]*b\.py/)
      expect(output).not.toContain('topsecret')
      expect(hashTree(world.root)).toBe(before)
    },
  )

  it('shows many candidates at once, in place of files and beside them', async () => {
    const before = hashTree(world.root)
    const paths = ['src/a.py', 'new/deep/b.py', 'new/c.py', 'vendor/lib/b.py', 'vendor/lib/new/d.py']
    const candidates = paths.map((path) => ({ path, text: `${path} as it is to be\n` }))
    const { output } = await sh(`cat ${paths.join(' ')} src/target/c.py`, { candidates })
    expect(output).toBe(`${paths.map((path) => `${path} as it is to be`).join('\n')}\nz = 3\n`)
    expect(hashTree(world.root)).toBe(before)
  })

  it('does not tell where the copy lies, nor the home of the command', async () => {
    const { output } = await sh('pwd; echo $HOME $TMPDIR/x')
    expect(output).not.toContain(world.folder)
    expect(output).toContain('home home/x')
  })

  it('brings a report back, also where the command has removed it', async () => {
    const reportAs = 'report-mark'
    const write = (script: string) => sh('', { commandLine: ['sh', '-c', script, reportAs], reportAs })
    const told = await write('echo "$PWD" >"$0"')
    expect(told.report?.text).toBe(`${told.root}\n`)
    expect((await write('rm "$0"')).report).toEqual({ bytes: 0, text: '' })
    expect((await sh('true')).report).toBeNull()
  })

  it('empties a scratch folder in the copy alone, in dependencies too', async () => {
    const before = hashTree(world.root)
    const scratchFolders = ['node_modules/.vite', 'vendor/lib/cache', 'build']
    const script =
      'ls -A node_modules/.vite; cat node_modules/tool/index.js vendor/lib/b.py; for d in node_modules/.vite vendor/lib/cache build; do echo x > $d/x && cat $d/x; done'
    expect(await sh(script, { scratchFolders })).toMatchObject({ output: '7\ny = 2\nx\nx\nx\n' })
    expect(hashTree(world.root)).toBe(before)
  })
})
