import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { JobProgress } from '#shared/schemas/job.ts'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import { createTempRepository, hashTree, type TempRepository } from '#test/support/temp-repository.ts'
import { createCommandRunner } from '../adapters/command-runner.ts'
import { createNodeFileTree } from '../adapters/node-file-tree.ts'
import { openRepository } from '../adapters/simple-git.ts'
import type { RepositoryPath } from '../workspace/repository-path.ts'
import { type HookPermissions, type HookReport, runHooks } from './run-hooks.ts'

// Hooks in the real sandbox, on real repositories.

const bubblewrap = await findBubblewrapForTests()
const title = 'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''

/** The program is not brought by the set-up, and not needed for hooks of the repository's own. */
const preCommit = ['/usr/bin/pre-commit', '/usr/local/bin/pre-commit'].find(existsSync)
const whyNot =
  'missing' in bubblewrap ? title : preCommit === undefined ? ': pre-commit is not installed on this system' : ''

const SAMPLE = {
  'README.md': '# Sample\n',
  'src/a.py': 'a = 1\n',
  'src/b.py': 'b = 1\n',
  'src/run.sh': 'echo run\n',
  'checks/short.sh':
    '#!/bin/sh\nfor file; do [ "$(wc -l <"$file")" -le 2 ] || { echo "$file is long"; exit 3; }; done\n',
  'checks/format.sh': '#!/bin/sh\nfor file; do sed -i "s/ *$//" "$file"; done\n',
}

let world: TempRepository
let marker: string
let told: JobProgress[]
beforeEach(async () => {
  world = await createTempRepository(SAMPLE)
  marker = join(world.folder, 'marker')
  told = []
  for (const name of ['short.sh', 'format.sh']) chmodSync(join(world.root, 'checks', name), 0o755)
  await world.git('commit', '-q', '-am', 'Executable')
})
afterEach(() => world.remove())

interface Hook {
  id: string
  entry?: string
  [key: string]: unknown
}

/** Configures hooks of the repository's own; `system` programs unless told. */
function configure(hooks: Hook[], more: Record<string, unknown> = {}): void {
  const named = hooks.map((hook) => ({ name: hook.id, language: 'system', ...hook }))
  world.write('.pre-commit-config.yaml', stringify({ ...more, repos: [{ repo: 'local', hooks: named }] }))
}

async function run(
  paths: string[] | null = null,
  permissions: Partial<HookPermissions> = {},
  signal = new AbortController().signal,
  isSandboxed = true,
): Promise<HookReport> {
  const runner = await createCommandRunner({
    root: world.root,
    allowProtected: [],
    dataFolder: join(world.folder, 'data'),
    hiddenFolders: [],
    commandFolders: [],
    isUnsandboxedAllowed: !isSandboxed,
    searchPath: process.env.PATH ?? '',
    environment: process.env,
    bubblewrap: isSandboxed && 'binary' in bubblewrap ? bubblewrap.binary : join(world.folder, 'no-bwrap'),
  })
  const ports = {
    files: await createNodeFileTree({ root: world.root }),
    repository: await openRepository({ root: world.root }),
    runner,
    permissions: { gitHooks: false, preCommitStore: join(world.folder, 'store'), ...permissions },
  }
  const before = hashTree(world.root)
  try {
    return await runHooks(
      ports,
      { paths: paths as RepositoryPath[] | null },
      { signal, onProgress: (progress) => told.push(progress) },
    )
  } finally {
    // Whatever hooks do, and however it ends: the repository is as it was, and nothing got out.
    expect(hashTree(world.root)).toBe(before)
    expect(existsSync(marker)).toBe(false)
  }
}

const verdicts = ({ hooks }: HookReport): unknown[] => hooks.map(({ id, passed }) => [id, passed])
const outputOf = ({ hooks }: HookReport, id: string): string | undefined => hooks.find((hook) => hook.id === id)?.output

describe.skipIf('missing' in bubblewrap)(`hooks of a configuration${title}`, { timeout: 60_000 }, () => {
  it('run one after the other, each told by name, with what it printed', async () => {
    world.write('src/a.py', 'a = 2\n')
    configure([
      { id: 'fine', name: 'All is fine', entry: 'echo checked' },
      { id: 'lines', entry: 'checks/short.sh', language: 'script' },
      { id: 'broken', entry: `sh -c 'echo "what is wrong: $*" >&2; exit 7' --`, args: ['two words', '$HOME'] },
      { id: 'nothing', entry: 'false', files: '\\.rs$' },
    ])
    const report = await run()
    expect(report).toMatchObject({ passed: false, files: 2, sandboxed: true, notices: [] })
    expect(report.hooks).toEqual([
      { id: 'fine', name: 'All is fine', passed: true, output: 'checked .pre-commit-config.yaml src/a.py' },
      {
        id: 'lines',
        name: 'lines',
        passed: false,
        output: 'exit status 3\n.pre-commit-config.yaml is long',
      },
      {
        id: 'broken',
        name: 'broken',
        passed: false,
        output: 'exit status 7\nwhat is wrong: two words $HOME .pre-commit-config.yaml src/a.py',
      },
      { id: 'nothing', name: 'nothing', passed: null, output: 'no files to check' },
    ])
    expect(told.map(({ message }) => message)).toContain('Hook 1 of 4: All is fine')
  })

  it('fail where they change files, and the files stay as they are', async () => {
    world.write('src/a.py', 'a = 2   \n')
    configure([
      { id: 'format', entry: 'checks/format.sh', language: 'script', types: ['python'] },
      { id: 'moves', entry: `sh -c 'mv src/b.py src/c.py && rm -r .git'`, pass_filenames: false },
      { id: 'modes', entry: 'chmod +x', files: 'a\\.py' },
      { id: 'touches', entry: 'touch' },
      { id: 'makes', entry: 'touch new-file', pass_filenames: false },
      // Each begins with the repository as it is.
      { id: 'sees', entry: `sh -c 'grep -c "2   " src/a.py && test -e src/b.py'`, pass_filenames: false },
    ])
    const report = await run(['src'])
    expect(verdicts(report)).toEqual([
      ['format', false],
      ['moves', false],
      ['modes', false],
      ['touches', true],
      ['makes', true],
      ['sees', true],
    ])
    expect(outputOf(report, 'format')).toBe('it changed files, which were left as they are: src/a.py')
    expect(outputOf(report, 'moves')).toBe('it changed files, which were left as they are: src/b.py')
    expect(outputOf(report, 'modes')).toBe('it changed files, which were left as they are: src/a.py')
  })

  it('get the files that the patterns and types mean', async () => {
    world.write('src/new.py', 'new\n')
    world.write('src/tool', '#!/usr/bin/env python3\n')
    chmodSync(join(world.root, 'src/tool'), 0o755)
    const names = (more: Record<string, unknown>, id: string): Hook => ({ id, entry: 'echo', ...more })
    configure(
      [
        names({ types: ['python'] }, 'python'),
        names({ types_or: ['shell', 'markdown'] }, 'or'),
        names({ exclude_types: ['python', 'text'] }, 'none'),
        names({ types: ['text', 'executable'] }, 'executable'),
        names({ files: '(?x)^(\n  src/a .* | # a comment\n  README.*\n)$' }, 'verbose'),
        names({ exclude: '^src/|yaml' }, 'exclude'),
        names({ files: '\\.rs$', always_run: true }, 'always'),
        names({ files: '\\.py$', pass_filenames: false }, 'quiet'),
        names({ stages: ['pre-push'] }, 'later'),
      ],
      { exclude: 'checks/' },
    )
    const report = await run(['README.md', 'src', 'checks', '.pre-commit-config.yaml'])
    expect(report.hooks.map(({ id, passed, output }) => [id, passed, output])).toEqual([
      ['python', true, 'src/a.py src/b.py src/new.py src/tool'],
      ['or', true, 'README.md src/run.sh'],
      ['none', null, 'no files to check'],
      ['executable', true, 'src/tool'],
      ['verbose', true, 'README.md src/a.py'],
      ['exclude', true, 'README.md'],
      ['always', true, ''],
      ['quiet', true, ''],
    ])
  })

  it('stop at the first failure where that is asked for', async () => {
    configure(
      [
        { id: 'one', entry: 'true' },
        { id: 'two', entry: 'false' },
        { id: 'three', entry: 'true' },
      ],
      { fail_fast: true },
    )
    expect(verdicts(await run())).toEqual([
      ['one', true],
      ['two', false],
      ['three', null],
    ])
  })

  it('find git as a commit of the named files would have it', async () => {
    world.write('src/a.py', 'a = 2\n')
    world.write('src/b.py', 'b = 2\n')
    world.write('src/new.py', 'new\n')
    configure([
      { id: 'staged', entry: 'git diff --cached --name-status', pass_filenames: false },
      { id: 'before', entry: 'git show HEAD:src/a.py', pass_filenames: false },
      { id: 'clean', entry: 'git status --porcelain', pass_filenames: false },
      { id: 'history', entry: 'git log --format=%s', pass_filenames: false },
    ])
    const report = await run(['src/a.py', 'src/new.py'])
    expect(outputOf(report, 'staged')).toBe('M\tsrc/a.py\nA\tsrc/new.py')
    expect(outputOf(report, 'before')).toBe('a = 1')
    expect(outputOf(report, 'clean')).toBe('M  src/a.py\nA  src/new.py')
    // Of the real history nothing is shown.
    expect(outputOf(report, 'history')).toBe('The last commit')
  })

  it('work before the first commit, and on removed files', async () => {
    world.remove()
    world = await createTempRepository({})
    marker = join(world.folder, 'marker')
    configure([{ id: 'staged', entry: 'git diff --cached --name-only', pass_filenames: false }])
    world.write('first.py', 'x\n')
    expect(outputOf(await run(), 'staged')).toBe('.pre-commit-config.yaml\nfirst.py')
    await world.git('add', '.')
    await world.git('commit', '-q', '-m', 'first')
    execFileSync('rm', [join(world.root, 'first.py')])
    configure([{ id: 'staged', entry: 'git diff --cached --name-status', always_run: true, pass_filenames: false }])
    expect(outputOf(await run(['first.py']), 'staged')).toBe('D\tfirst.py')
  })

  it('reach nothing outside, and see nothing that may not be read', async () => {
    world.write('.env', 'TOKEN=topsecret\n')
    world.write('src/server.key', 'topsecret\n')
    await world.git('add', '-f', 'src/server.key')
    await world.git('commit', '-q', '-m', 'a key')
    world.write('src/a.py', 'a = 2\n')
    const script = [
      `touch ${marker}`,
      `touch ${join(world.root, 'pwned')}`,
      `cat ${join(world.folder, 'data/journal.sqlite')} 2>/dev/null`,
      'cat .env src/server.key; git show HEAD:src/server.key; env',
      `cat ${world.root}/.env ${world.root}/src/server.key ${world.root}/.git/config`,
      'exec 3<>/dev/tcp/127.0.0.1/22',
      'kill -9 -1',
    ].join('; ')
    configure([{ id: 'hostile', entry: `bash -c '${script}' --` }])
    const report = await run()
    expect(verdicts(report)).toEqual([['hostile', false]])
    expect(JSON.stringify(report)).not.toContain('topsecret')
    expect(JSON.stringify(report)).not.toContain('MILLWRIGHT')
    expect(JSON.stringify(report)).not.toContain(world.folder)
  })

  it('have their output cut in the middle, and cannot pass for one another', async () => {
    configure([
      { id: 'long', entry: `sh -c 'seq 1 100000; exit 1'`, pass_filenames: false },
      { id: 'frame', entry: `sh -c 'echo hook-000000000000000000000000; echo; exit 1'`, pass_filenames: false },
    ])
    const report = await run()
    expect(verdicts(report)).toEqual([
      ['long', false],
      ['frame', false],
    ])
    const output = outputOf(report, 'long') ?? ''
    expect(output).toMatch(/^exit status 1\n1\n2\n/)
    expect(output).toMatch(/99999\n100000$/)
    expect(output).toContain('characters cut')
    expect(output.length).toBeLessThan(3100)
  })

  it('end when the call is cancelled', async () => {
    configure([{ id: 'sleeps', entry: 'sleep 60', pass_filenames: false }])
    const controller = new AbortController()
    const running = run(null, {}, controller.signal)
    await expect.poll(() => told.length, { timeout: 10_000 }).toBeGreaterThan(0)
    controller.abort()
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('that name a program which is not there are refused, and say so', async () => {
    configure([{ id: 'gone', entry: 'no-such-program' }])
    await expect(run()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no-such-program was not found'),
    })
  })

  it.each([
    ['nothing is configured', () => undefined, null, 'not_found', 'there is no .pre-commit-config.yaml'],
    ['the list is empty', () => configure([]), ['src/a.py'], 'not_found', 'none of 0'],
    [
      'none is for the files',
      () => configure([{ id: 'x', entry: 'true', files: '\\.rs$' }]),
      null,
      'not_found',
      'none of 1',
    ],
    ['a path is not there', () => configure([{ id: 'x', entry: 'true' }]), ['none.py'], 'not_found', 'no such file'],
    ['it is no YAML', () => world.write('.pre-commit-config.yaml', 'a: [b'), null, 'invalid_input', 'no YAML'],
    [
      'it is another document',
      () => world.write('.pre-commit-config.yaml', 'repos: 7\n'),
      null,
      'invalid_input',
      'repos',
    ],
    [
      'it is too long',
      () => world.write('.pre-commit-config.yaml', '#'.repeat(200_000)),
      null,
      'too_large',
      '.pre-commit-config.yaml',
    ],
  ] as [string, () => void, string[] | null, string, string][])(
    'are refused where %s',
    async (_what, prepare, paths, code, message) => {
      prepare()
      await expect(run(paths)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    },
  )

  it('are refused where nothing differs from the last commit', async () => {
    configure([{ id: 'x', entry: 'true' }])
    await world.git('add', '.')
    await world.git('commit', '-q', '-m', 'hooks')
    await expect(run()).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('nothing differs'),
    })
    expect(verdicts(await run(['README.md']))).toEqual([['x', true]])
  })
})

describe('hooks without a sandbox', { timeout: 60_000 }, () => {
  it('run on a copy all the same, and the answer says so', async () => {
    world.write('src/a.py', 'a = 2   \n')
    configure([
      { id: 'format', entry: 'checks/format.sh', language: 'script', types: ['python'] },
      { id: 'staged', entry: 'git diff --cached --name-only', pass_filenames: false },
    ])
    const report = await run(['src/a.py'], {}, undefined, false)
    expect(report).toMatchObject({ passed: false, sandboxed: false })
    expect(outputOf(report, 'format')).toBe('it changed files, which were left as they are: src/a.py')
    expect(outputOf(report, 'staged')).toBe('src/a.py')
  })
})

describe.skipIf('missing' in bubblewrap)(`a hook file of git${title}`, { timeout: 60_000 }, () => {
  const hook = `#!/bin/sh\n"$(dirname "$0")/helper" || exit 1\ngit diff --cached --name-only\ntouch ${'$'}{MARKER:-/nowhere/x} 2>/dev/null\n`
  function putHook(folder: string, text = hook): void {
    mkdirSync(join(world.root, folder), { recursive: true })
    for (const [name, content] of [
      ['pre-commit', text],
      ['helper', '#!/bin/sh\necho helped\n'],
    ] as const) {
      world.write(`${folder}/${name}`, content)
      chmodSync(join(world.root, folder, name), 0o755)
    }
  }
  beforeEach(() => world.write('src/a.py', 'a = 2\n'))

  it('does not run unless the operator has said so', async () => {
    putHook('.git/hooks', `#!/bin/sh\ntouch ${marker}\n`)
    await expect(run()).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('MILLWRIGHT_GIT_HOOKS=1'),
    })
    configure([{ id: 'x', entry: 'true' }])
    expect(await run()).toMatchObject({
      passed: true,
      hooks: [{ id: 'x' }],
      notices: [expect.stringContaining('hook files of git')],
    })
  })

  it.each([
    ['in git’s own folder', '.git/hooks', null],
    ['in the folder that the repository names', '.husky', '.husky'],
    ['in a folder that git ignores', 'made/hooks', 'made/hooks/'],
  ])('%s runs in the sandbox, with a copy of the index', async (_where, folder, hooksPath) => {
    if (hooksPath !== null) await world.git('config', 'core.hooksPath', hooksPath)
    world.write('.git/info/exclude', 'made/\n')
    putHook(folder)
    const report = await run(['src/a.py'], { gitHooks: true })
    expect(report).toMatchObject({ passed: false, hooks: [{ id: 'pre-commit', name: 'pre-commit hook of git' }] })
    expect(report.hooks[0]?.output).toBe('exit status 1\nhelped\nsrc/a.py')
  })

  it('passes, or fails for what it changes', async () => {
    putHook('.git/hooks', '#!/bin/sh\nexit 0\n')
    expect(await run(null, { gitHooks: true })).toMatchObject({ passed: true, hooks: [{ passed: true, output: '' }] })
    putHook('.git/hooks', '#!/bin/sh\necho x >>src/a.py\ngit add src/a.py\n')
    const report = await run(null, { gitHooks: true })
    expect(report.hooks[0]).toMatchObject({ passed: false, output: expect.stringContaining('it changed files') })
  })

  it('of another place is not run', async () => {
    const outside = join(world.folder, 'outside')
    mkdirSync(outside)
    execFileSync('sh', [
      '-c',
      `printf '#!/bin/sh\\ntouch ${marker}\\n' >${outside}/pre-commit && chmod +x ${outside}/pre-commit`,
    ])
    for (const hooksPath of [outside, '../outside', '~/hooks']) {
      await world.git('config', 'core.hooksPath', hooksPath)
      await expect(run(null, { gitHooks: true }), hooksPath).rejects.toMatchObject({
        code: expect.stringMatching(/unavailable|not_found/),
      })
    }
    execFileSync('ln', ['-s', outside, join(world.root, 'linked')])
    await world.git('config', 'core.hooksPath', 'linked')
    await expect(run(null, { gitHooks: true })).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('does not see keys that lie beside it, nor runs in git’s own folder', async () => {
    await world.git('config', 'core.hooksPath', 'made')
    putHook('made', '#!/bin/sh\nls -A made /tmp/given/hook\n')
    for (const name of ['.env', 'server.pem']) world.write(`made/${name}`, 'CANARY\n')
    const report = await run(['src/a.py'], { gitHooks: true })
    expect(report.hooks[0]?.output.split(/\s+/)).toEqual(
      expect.arrayContaining(['/tmp/given/hook:', 'helper', 'pre-commit']),
    )
    expect(report.hooks[0]?.output).not.toMatch(/\.env|server\.pem/)
    await world.git('config', 'core.hooksPath', '.git')
    putHook('.git')
    await expect(run(null, { gitHooks: true })).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('that is not executable is none, as for git', async () => {
    world.write('.git/hooks/pre-commit', '#!/bin/sh\nexit 1\n')
    await expect(run(null, { gitHooks: true })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('that pre-commit installed does not run the configuration twice', async () => {
    putHook('.git/hooks', '#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\nexit 1\n')
    configure([{ id: 'x', entry: 'true' }])
    expect(await run(null, { gitHooks: true })).toMatchObject({ passed: true, hooks: [{ id: 'x' }] })
  })
})

const remote = (repo: string): string => stringify({ repos: [{ repo, rev: 'v1', hooks: [{ id: 'no-todo' }] }] })

describe.skipIf('missing' in bubblewrap)(`hooks of another repository${title}`, { timeout: 60_000 }, () => {
  it('of the repository itself are refused where their program is missing, with what to do', async () => {
    configure([{ id: 'x', entry: 'no-such-program' }])
    await expect(run()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no-such-program'),
      hint: expect.stringContaining('available to commands'),
    })
  })

  it('are refused where pre-commit or their environments are missing, with what to do', async () => {
    world.write('.pre-commit-config.yaml', remote('https://host.invalid/hooks'))
    await expect(run()).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('`pre-commit install-hooks` once'),
    })
  })

  it.each([
    ['pygrep', { language: 'pygrep', entry: 'x' }, 'has the language "pygrep"'],
    ['a pattern with look-around', { entry: 'true', files: '(?!x)' }, 'has a pattern that RE2 does not know'],
    ['a type of its own', { entry: 'true', types: ['fortran'] }, 'asks for files of type "fortran"'],
    ['a quote that is not closed', { entry: "it's" }, 'has no entry that can be started'],
  ])('and hooks with %s are left to pre-commit', async (_what, hook, reason) => {
    configure([{ id: 'x', ...hook }])
    // Where it is there, it runs them, or says itself what is wrong with them.
    const report = await run(['README.md']).catch((error: unknown) => error)
    if (preCommit === undefined)
      expect(report).toMatchObject({ code: 'unavailable', message: expect.stringContaining(reason) })
    else expect(JSON.stringify(report)).toMatch(/"hooks":\[\{"id":"x"|"code":"(unavailable|not_found)"/)
  })
})

describe.skipIf(preCommit === undefined || 'missing' in bubblewrap)(
  `hooks that pre-commit runs${whyNot}`,
  { timeout: 60_000 },
  () => {
    let store: string
    beforeEach(async () => {
      store = join(world.folder, 'store')
      const hooks = join(world.folder, 'hooks')
      mkdirSync(hooks)
      const script = `cd ${hooks} && git init -q && printf '#!/bin/sh\necho x >>"$1"; ! grep -n TODO "$@"\n' >todo.sh && chmod +x todo.sh
      printf -- '- {id: no-todo, name: No todo, entry: todo.sh, language: script, types: [text]}\n' >.pre-commit-hooks.yaml
      git add . && git -c user.name=T -c user.email=t@localhost commit -q -m x && git tag v1`
      execFileSync('sh', ['-ec', script])
      world.write('.pre-commit-config.yaml', remote(hooks))
      world.write('src/a.py', '# TODO\n')
    })
    const installHooks = (): unknown =>
      execFileSync('pre-commit', ['install-hooks'], {
        cwd: world.root,
        env: { ...process.env, PRE_COMMIT_HOME: store },
        stdio: 'pipe',
      })

    it('run with the environments that the user has installed, which stay as they are', async () => {
      installHooks()
      const before = hashTree(store)
      const report = await run(['src/a.py'], { preCommitStore: store })
      expect(report).toMatchObject({
        passed: false,
        files: 1,
        hooks: [{ id: 'no-todo', name: 'No todo', passed: false }],
      })
      expect(report.hooks[0]?.output).toMatch(/exit code: 1\nfiles were modified by this hook\n\n1:# TODO/)
      expect(hashTree(store)).toBe(before)
      expect(verdicts(await run(['README.md'], { preCommitStore: store }))).toEqual([['no-todo', false]])
    })

    it('say so where the environments are not installed', async () => {
      mkdirSync(store)
      await expect(run(['src/a.py'], { preCommitStore: store })).rejects.toMatchObject({
        code: 'unavailable',
        hint: expect.stringContaining('`pre-commit install-hooks` once'),
      })
      installHooks()
      world.write('.pre-commit-config.yaml', remote('https://host.invalid/other'))
      await expect(run(['src/a.py'], { preCommitStore: store })).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('environments of pre-commit are not installed'),
      })
    })
  },
)
