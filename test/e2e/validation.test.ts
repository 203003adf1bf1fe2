import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from 'sarif'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ComplianceOutcome, issueKinds, type ValidationOutcome } from '#shared/schemas/validation.ts'
import { jobEnd } from '#test/support/live-stack.ts'
import type { Fields } from '#test/support/mcp.ts'
import { hashTree } from '#test/support/temp-repository.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// run_all_validations, check_compliance and protected paths on the whole stack, as a client calls them.

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({
    files: {
      'README.md': '# Sample\n',
      '.gitignore': 'built/\n',
      'src/good.py': 'x = 1\n',
      'src/long.py': 'x = 1\n'.repeat(301),
      'src/broken.py': 'def (:\n',
      'tests/test_good.py': 'def test_it():\n    pass\n',
      'db/1.sql': 'select 1;\n',
    },
  })
})
afterAll(() => world?.stop())
afterEach(() => rmSync(join(world.repository.root, 'millwright.json'), { force: true }))

const configure = (settings: object): void => world.repository.write('millwright.json', JSON.stringify(settings))
const validate = async (args: Fields = {}) =>
  (await world.client.ok('run_all_validations', args)) as unknown as ValidationOutcome & { job_id: string }
const own = (agent_id: string, managed_file: string): Promise<Fields> =>
  world.client.ok('create_agent', { agent_id, name: agent_id, managed_file, system_prompt: '' })

describe('run_all_validations', () => {
  it('lists issues by kind, changes nothing, and has all of it as SARIF', async () => {
    const before = hashTree(join(world.repository.root, 'src'))
    const outcome = await validate()
    expect(outcome).toMatchObject({ passed: false, incomplete: null, files_checked: 7, files_skipped: 0 })
    expect(Object.keys(outcome.issues)).toEqual([...issueKinds])
    expect(outcome.issues.exceeds_limit).toEqual([
      { path: 'src/long.py', line: null, severity: 'error', message: expect.stringContaining('301 lines, limit 300') },
    ])
    expect(outcome.issues.syntax_errors).toMatchObject([{ path: 'src/broken.py', line: 1 }])
    expect(outcome.issues.missing_tests.map(({ path }) => path)).toEqual(['src/broken.py', 'src/long.py'])
    expect(outcome.totals).toMatchObject({ exceeds_limit: 1, missing_tests: 2, secrets: 0 })
    expect(outcome.hints).toHaveProperty('exceeds_limit')
    expect(hashTree(join(world.repository.root, 'src'))).toBe(before)

    const { contents } = await world.client.client.readResource({ uri: outcome.sarif })
    const [content] = contents
    if (content === undefined || !('text' in content)) throw new Error('No text')
    expect(content.mimeType).toBe('application/sarif+json')
    const log = JSON.parse(content.text) as Log
    expect(log.runs[0]?.results?.map(({ ruleId }) => ruleId).toSorted()).toEqual([
      'line_limit',
      'missing_tests',
      'missing_tests',
      'syntax',
    ])
  })

  it('reads as a few lines for a model, at once and from get_job', async () => {
    const answer = await world.client.call('run_all_validations', { paths: ['src/long.py'] })
    expect(answer.text.split('\n').slice(0, 2)).toEqual([
      'Failed: 1 files checked',
      expect.stringMatching(/^missing_tests: 1 \(Write a test/),
    ])
    expect(answer.text).toContain('  error src/long.py: 301 lines, limit 300')
    const later = await world.client.call('get_job', { job_id: String(answer.fields.job_id) })
    expect(later.text).toContain('  error src/long.py: 301 lines, limit 300')
  })

  it('finds agents whose file is gone, ignored, protected or another one now', async () => {
    await own('good', 'src/good.py')
    await own('ghost', 'src/ghost.py')
    await own('hidden', 'built/x.py')
    await own('keeper', 'db/2.sql')
    configure({ protected_paths: ['db'] })
    const { issues, totals } = await validate()
    expect(issues.ownership.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      'built/x.py: Agent hidden manages a file that does not exist: give it a task, or delete the agent',
      expect.stringMatching(/^db\/2\.sql: Agent keeper cannot write its file \(.*the repository protects it\)/),
      'src/ghost.py: Agent ghost manages a file that does not exist: give it a task, or delete the agent',
    ])
    expect(totals.ownership).toBe(3)
    world.repository.write('built/x.py', 'x = 1\n')
    const again = await validate({ paths: ['src'] })
    expect(again.issues.ownership.map(({ path }) => path)).toEqual(['src/ghost.py'])
    expect((await validate()).issues.ownership[0]?.message).toContain('git ignores')
    for (const agent_id of ['good', 'ghost', 'hidden', 'keeper']) await world.client.ok('delete_agent', { agent_id })
  })

  it('finds two agents that have come to one file', async () => {
    await own('alias', 'src/alias.py')
    await own('good', 'src/good.py')
    const link = join(world.repository.root, 'src', 'alias.py')
    symlinkSync('good.py', link)
    const { issues } = await validate()
    expect(issues.ownership.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      expect.stringMatching(/^src\/alias\.py: .* which now leads to "src\/good\.py"/),
      'src/good.py: Agents alias and good manage the same file: delete one of them',
    ])
    rmSync(link)
    for (const agent_id of ['alias', 'good']) await world.client.ok('delete_agent', { agent_id })
  })

  it('refuses paths at which there is nothing', async () => {
    const answer = await world.client.call('run_all_validations', { paths: ['none'] })
    expect(answer.error).toMatchObject({ code: 'not_found' })
    expect((await world.client.call('run_all_validations', { paths: ['../x'] })).error?.code).toBe('outside_repository')
  })

  it('can be cancelled', async () => {
    for (let at = 0; at < 1500; at++) world.repository.write(`many/m${at}.py`, 'def run():\n    return 1\n'.repeat(40))
    const { job_id } = await world.client.ok('run_all_validations', { wait_seconds: 0 })
    await world.client.ok('cancel_job', { job_id: String(job_id) })
    expect(await jobEnd(world.client, String(job_id))).toMatchObject({ state: 'cancelled' })
    rmSync(join(world.repository.root, 'many'), { recursive: true })
  })
})

describe('check_compliance', () => {
  it('scores what each rule is kept by', async () => {
    const outcome = (await world.client.ok('check_compliance', {})) as unknown as ComplianceOutcome
    expect(outcome.rules.find(({ rule }) => rule === 'line_limit')).toMatchObject({
      severity: 'error',
      passed: 3,
      failed: 1,
      files: ['src/long.py'],
    })
    expect(outcome.score).toBeGreaterThan(50)
    expect(outcome.score).toBeLessThan(100)
    expect(
      ((await world.client.ok('check_compliance', { paths: ['README.md'] })) as unknown as ComplianceOutcome).score,
    ).toBe(100)
  })
})

describe('protected_paths', () => {
  it('are closed to every tool that writes, and to agents, and open to readers', async () => {
    await own('writer', 'db/1.sql')
    configure({ protected_paths: ['db/**'] })
    const before = hashTree(join(world.repository.root, 'db'))
    const refusals: [string, Fields][] = [
      ['write_file', { path: 'db/new.sql', content: 'select 2;\n' }],
      ['write_file', { path: 'db/1.sql', content: 'select 2;\n', agent_id: 'writer' }],
      ['update_file', { path: 'db/1.sql', edits: [{ search: '1', replace: '2' }], agent_id: 'writer' }],
      ['delete_file', { path: 'db/1.sql', agent_id: 'writer' }],
      ['agent_update_file', { agent_id: 'writer', content: 'select 2;\n' }],
      ['create_agent', { agent_id: 'other', name: 'o', managed_file: 'db/3.sql', system_prompt: '' }],
      ['chat_with_agent', { agent_id: 'writer', message: 'Select 2' }],
    ]
    for (const [tool, args] of refusals)
      expect((await world.client.call(tool, args)).error?.code, tool).toBe('protected_path')
    expect(hashTree(join(world.repository.root, 'db'))).toBe(before)
    expect(await world.client.ok('read_file', { path: 'db/1.sql' })).toMatchObject({ content: 'select 1;\n' })
    await world.client.ok('delete_agent', { agent_id: 'writer' })
  })
})
