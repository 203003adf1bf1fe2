import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runPreCommit } from '#shared/tools/hooks.ts'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import { hashTree } from '#test/support/temp-repository.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// run_pre_commit over MCP: the worker as it is, with the real sandbox.

const bubblewrap = await findBubblewrapForTests()
const title = 'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''

const CONFIGURATION = `repos:
  - repo: local
    hooks:
      - { id: no-print, name: No print, language: system, entry: sh -c '! grep -n "print(" "$@"' --, types: [python] }
      - { id: shell, name: Shell, language: system, entry: 'true', types: [shell] }
`

describe.skipIf('missing' in bubblewrap)(`run_pre_commit${title}`, { timeout: 60_000 }, () => {
  let world: TestStack
  const before = { bwrap: process.env.MILLWRIGHT_BWRAP, hooks: process.env.MILLWRIGHT_GIT_HOOKS }
  beforeAll(async () => {
    if ('binary' in bubblewrap) process.env.MILLWRIGHT_BWRAP = bubblewrap.binary
    world = await startTestStack({ files: { 'src/a.py': 'a = 1\n', 'src/b.py': 'b = 1\n' } })
  })
  afterAll(async () => {
    for (const [name, value] of [
      ['MILLWRIGHT_BWRAP', before.bwrap],
      ['MILLWRIGHT_GIT_HOOKS', before.hooks],
    ] as const) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    await world?.stop()
  })

  it('is refused where no hook is configured', async () => {
    const answer = await world.client.call('run_pre_commit', {})
    expect(answer.error).toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('.pre-commit-config.yaml'),
    })
    expect(answer.error?.hint).toContain('millwright.json')
  })

  it('tells what each hook said of the files that changed, as a job', async () => {
    world.repository.write('.pre-commit-config.yaml', CONFIGURATION)
    await world.client.ok('write_file', { path: 'src/a.py', content: 'print(1)\n' })
    const tree = hashTree(world.repository.root)
    const answer = await world.client.call('run_pre_commit', { idempotency_key: 'once' })
    expect(answer.fields).toMatchObject({
      state: 'succeeded',
      passed: false,
      files: 2,
      sandboxed: true,
      notices: [],
      hooks: [
        { id: 'no-print', name: 'No print', passed: false, output: 'exit status 1\n1:print(1)' },
        { id: 'shell', name: 'Shell', passed: null, output: 'no files to check' },
      ],
    })
    expect(answer.text).toBe(
      'Hooks failed on 2 files\n- FAILED No print\n    exit status 1\n    1:print(1)\n- skipped Shell\n    no files to check',
    )
    expect(v.safeParse(runPreCommit.output, answer.fields).issues).toBeUndefined()
    expect(hashTree(world.repository.root)).toBe(tree)
    const again = await world.client.ok('run_pre_commit', { idempotency_key: 'once' })
    expect(again.job_id).toBe(answer.fields.job_id)
    expect(await world.client.ok('run_pre_commit', { paths: ['src/b.py'] })).toMatchObject({ passed: true, files: 1 })
  })

  it('refuses paths as every tool does', async () => {
    world.repository.write('.env', 'TOKEN=topsecret\n')
    for (const [path, code] of [
      ['../x', 'outside_repository'],
      ['/etc/passwd', 'outside_repository'],
      ['.env', 'protected_path'],
      ['.git/config', 'protected_path'],
      ['--all-files', 'invalid_input'],
      ['none.py', 'not_found'],
    ]) {
      expect((await world.client.call('run_pre_commit', { paths: [path] })).error?.code, path).toBe(code)
    }
  })

  it('runs a hook file of git only where the operator has said so, and that in the sandbox', async () => {
    const marker = join(world.repository.folder, 'marker')
    const hook = `#!/bin/sh\ntouch ${marker} 2>/dev/null\ncat .env 2>/dev/null\necho "about $(git diff --cached --name-only)"\n`
    world.repository.write('.git/hooks/pre-commit', hook)
    chmodSync(join(world.repository.root, '.git/hooks/pre-commit'), 0o755)
    const asked = { paths: ['src/a.py'] }
    const notAllowed = await world.client.ok('run_pre_commit', asked)
    expect(notAllowed.notices).toEqual([expect.stringContaining('the operator has not allowed hook files of git')])
    expect(notAllowed.hooks).toHaveLength(2)
    // A commit through the server runs none.
    await world.client.ok('write_file', { path: 'src/b.py', content: 'b = 2\n' })
    await world.client.ok('git_commit', { message: 'm', paths: ['src/b.py'] })
    expect(existsSync(marker)).toBe(false)

    process.env.MILLWRIGHT_GIT_HOOKS = '1'
    await world.restart()
    const allowed = await world.client.ok('run_pre_commit', asked)
    expect(allowed.notices).toEqual([])
    expect((allowed.hooks as unknown[]).at(-1)).toEqual({
      id: 'pre-commit',
      name: 'pre-commit hook of git',
      passed: true,
      output: 'about src/a.py',
    })
    expect(existsSync(marker)).toBe(false)
  })
})
