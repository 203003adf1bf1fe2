import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { catalogue } from '#shared/tools/catalogue.ts'
import { type AnyClient, clientKinds, connectKind, type Progress, type RawAnswer } from '#test/support/client-kinds.ts'
import type { Fields } from '#test/support/mcp.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// The main job with every kind of client, on the whole stack with the demo model: the prompts are those of the user's
// Suites A and B (../shared/mission), the assertions theirs field by field, and then what else a client is promised.

const REVISIONS = { v2: '2025-11-25', 'v2 of 2026-07-28': '2026-07-28', v1: '2025-11-25' }
const SHA256 = /^[0-9a-f]{64}$/
const COMMIT = /^[0-9a-f]{40}$/
const JOB_ID = /^job_[0-9a-z]{26}$/

const producer = {
  agent_id: 'producer-agent',
  name: 'Data Producer',
  managed_file: 'producer.py',
  system_prompt: 'Generate data structures',
}
const consumer = {
  agent_id: 'consumer-agent',
  name: 'Data Consumer',
  managed_file: 'consumer.py',
  system_prompt: 'Process data from producer',
}

describe.each(clientKinds)('a client of the kind %s', (kind) => {
  let world: TestStack
  let client: AnyClient
  beforeAll(async () => {
    world = await startTestStack({ model: 'demo' })
    const { url, token } = world.stack()
    client = await connectKind(kind, url, token)
  })
  afterAll(async () => {
    await client?.close()
    await world?.stop()
  })

  /** The fields of a success; its text is written for a reader. */
  async function ok(name: string, args: Fields, onprogress?: (progress: Progress) => void) {
    const answer = await client.call(name, args, onprogress === undefined ? {} : { onprogress })
    expect(answer.structuredContent, `${name}: ${textOf(answer)}`).toMatchObject({ success: true })
    expect(answer.isError).toBe(false)
    expect(answer.content).toHaveLength(1)
    expect(textOf(answer), name).not.toBe('')
    expect(() => JSON.parse(textOf(answer)), `${name} answers with JSON for text`).toThrow()
    return { fields: answer.structuredContent, text: textOf(answer) }
  }

  /** A task followed to its end, however busy the machine. */
  async function chat(args: Fields, onprogress?: (progress: Progress) => void) {
    const { fields, text } = await ok('chat_with_agent', args, onprogress)
    if (fields.reply !== undefined) return { fields, text }
    for (;;) {
      const job = await ok('get_job', { job_id: fields.job_id, wait_seconds: 20 }, onprogress)
      expect(job.fields.error).toBeNull()
      if (job.fields.result === null) continue
      const state = { job_id: fields.job_id, state: job.fields.state }
      return { fields: { ...(job.fields.result as Fields), ...state }, text: job.text }
    }
  }

  it('speaks its revision and lists every tool with schemas and hints', async () => {
    expect(client.protocolVersion).toBe(REVISIONS[kind])
    const tools = await client.listTools()
    expect(tools.map((tool) => tool.name)).toEqual(catalogue.map((tool) => tool.name))
    for (const [index, tool] of tools.entries()) {
      expect(tool.description).toBe(catalogue[index]?.description)
      expect(tool.annotations).toMatchObject(catalogue[index]?.annotations ?? {})
    }
  })

  it('Suite A: discovers tools, makes an agent, writes its file, deletes the agent', async () => {
    const names = (await client.listTools()).map((tool) => tool.name)
    expect(names.length).toBeGreaterThan(20)
    expect(names).toContain('create_agent')
    expect(names).toContain('git_commit')

    const created = await ok('create_agent', {
      agent_id: 'mcp-test-agent',
      name: 'MCP Test Agent',
      managed_file: 'mcp_test.py',
      system_prompt: 'Test agent for MCP validation',
    })
    expect(created.fields).toEqual({
      success: true,
      agent: {
        agent_id: 'mcp-test-agent',
        name: 'MCP Test Agent',
        managed_file: 'mcp_test.py',
        system_prompt: 'Test agent for MCP validation',
        model: null,
        description: null,
        state: 'idle',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      },
    })

    const content = "# MCP Test File\nprint('Hello from MCP')"
    const updated = await ok('agent_update_file', { agent_id: 'mcp-test-agent', content })
    expect(updated.fields).toMatchObject({
      success: true,
      path: 'mcp_test.py',
      changed: true,
      diff_truncated: false,
      checks: { passed: true, violations: [] },
      sha256: expect.stringMatching(SHA256),
    })
    expect(updated.fields.diff).toContain("+print('Hello from MCP')")
    expect(updated.text).toMatch(/^```diff\n/)
    expect(world.repository.read('mcp_test.py')).toBe(content)

    const read = await ok('get_agent_file', { agent_id: 'mcp-test-agent' })
    expect(read.fields).toEqual({
      success: true,
      path: 'mcp_test.py',
      content,
      sha256: updated.fields.sha256,
      line_count: 1,
      next_offset: null,
    })
    expect(read.text).toBe(content)

    const deleted = await ok('delete_agent', { agent_id: 'mcp-test-agent' })
    expect(deleted.fields).toEqual({
      success: true,
      deleted: true,
      agent_id: 'mcp-test-agent',
      managed_file: 'mcp_test.py',
    })
    expect(world.repository.read('mcp_test.py')).toBe(content)
  })

  it('Suite B: two agents work together, the second on what the first wrote', async () => {
    expect((await ok('create_agent', producer)).fields.agent).toMatchObject(producer)
    expect((await ok('create_agent', consumer)).fields.agent).toMatchObject(consumer)

    const heard: Progress[] = []
    const first = await chat(
      { agent_id: 'producer-agent', message: 'Create a User model with id, name, email' },
      (progress) => heard.push(progress),
    )
    expectOutcome(first.fields, 'producer.py')
    expect(first.text).toContain('```diff\n')
    expect(first.text).toContain('+class User')
    expectTokenProgress(heard, 'producer.py')

    const second = await chat({
      agent_id: 'consumer-agent',
      message: 'Create API endpoints for the User model',
      context: { producer_file: 'producer.py' },
    })
    expectOutcome(second.fields, 'consumer.py')

    for (const [agent_id, path, expected] of [
      ['producer-agent', 'producer.py', 'class User'],
      ['consumer-agent', 'consumer.py', 'def create_user'],
    ] as const) {
      const file = await ok('get_agent_file', { agent_id })
      expect(file.fields.content).toContain(expected)
      expect(file.fields).toMatchObject({ path, next_offset: null })
      expect(file.text).toBe(world.repository.read(path))
      expect((await ok('read_file', { path })).text).toBe(file.text)
    }
  })

  it('sees what changed, commits it, finds the commit, and deletes the agents', async () => {
    const status = await ok('git_status', {})
    expect(status.fields).toMatchObject({
      branch: 'main',
      truncated: false,
      files: ['consumer.py', 'mcp_test.py', 'producer.py'].map((path) => ({ path, index: '?', worktree: '?' })),
    })
    expect(status.text).toBe('On main\n?? consumer.py\n?? mcp_test.py\n?? producer.py')
    const diff = await ok('git_diff', { path: 'producer.py' })
    expect(diff.fields).toMatchObject({ files_changed: 1, deletions: 0, diff_truncated: false })
    expect(diff.text).toContain('```diff\n')

    const message = 'Add the User model and its endpoints'
    const committed = await ok('git_commit', { message, paths: ['producer.py', 'consumer.py'] })
    expect(committed.fields).toEqual({
      success: true,
      commit: expect.stringMatching(COMMIT),
      branch: 'main',
      files: ['consumer.py', 'producer.py'],
    })
    expect((await world.repository.git('rev-parse', 'HEAD')).trim()).toBe(committed.fields.commit)
    expect(await world.repository.git('status', '--porcelain')).toBe('?? mcp_test.py\n')

    const log = await ok('git_log', { limit: 1 })
    expect(log.fields).toEqual({
      success: true,
      commits: [
        {
          commit: committed.fields.commit,
          author: 'Tester <tester@localhost>',
          date: expect.any(String),
          subject: message,
          body: expect.stringMatching(
            /^Millwright-Agent: producer-agent\nMillwright-Agent: consumer-agent(?:\nMillwright-Job: job_\w+){2,}$/,
          ),
        },
      ],
      next_cursor: expect.any(String),
    })

    for (const agent_id of ['producer-agent', 'consumer-agent']) await ok('delete_agent', { agent_id })
    const left = await ok('list_agents', {})
    expect(left.fields).toEqual({ success: true, agents: [], next_cursor: null, total: 0 })
    expect(left.text).toBe('0 of 0 agents')
    expect(world.repository.read('producer.py')).toContain('class User')
  })

  it('is told what was refused, why, and what to do', async () => {
    const answer = await client.call('get_agent_file', { agent_id: 'producer-agent' })
    expect(answer.isError).toBe(true)
    expect(answer.structuredContent).toEqual({
      success: false,
      error: {
        code: 'not_found',
        message: 'Cannot find agent "producer-agent": there is none',
        hint: expect.any(String),
      },
    })
    expect(textOf(answer)).toMatch(/^not_found: Cannot find agent "producer-agent": there is none\. /)
  })
})

const textOf = (answer: RawAnswer): string => answer.content[0]?.text ?? ''

function expectOutcome(fields: Fields, path: string): void {
  expect(fields).toMatchObject({
    success: true,
    job_id: expect.stringMatching(JOB_ID),
    state: 'succeeded',
    reply: expect.stringMatching(/\S/),
    changed: true,
    diff: expect.stringContaining(`+++ b/${path}`),
    diff_truncated: false,
    checks: { passed: true, violations: [] },
    attempts: 1,
    usage: {
      prompt_tokens: expect.any(Number),
      cached_prompt_tokens: expect.any(Number),
      completion_tokens: expect.any(Number),
      queue_ms: expect.any(Number),
      time_to_first_token_ms: expect.any(Number),
      tokens_per_second: expect.any(Number),
      model: 'demo',
    },
    proposal_id: null,
    sha256: expect.stringMatching(SHA256),
  })
  const usage = fields.usage as Record<string, number>
  expect(usage.prompt_tokens).toBeGreaterThan(20)
  expect(usage.completion_tokens).toBeGreaterThan(10)
  expect(usage.tokens_per_second).toBeGreaterThan(0)
}

/** Progress tells of tokens, and its numbers only grow, as the protocol demands. */
function expectTokenProgress(heard: readonly Progress[], path: string): void {
  const messages = heard.map((progress) => progress.message ?? '')
  expect(messages.some((message) => /: [1-9]\d* (of \d+ )?tokens/.test(message))).toBe(true)
  for (const message of messages) expect(message).toContain(path)
  const tails = heard.map((progress) => Object(Object(progress)._meta)['millwright/progress']?.answer_tail)
  expect(tails.some((tail) => typeof tail === 'string' && tail.length > 0 && tail.length <= 600)).toBe(true)
  for (const [index, { progress }] of heard.entries()) {
    expect(progress).toBeGreaterThan(heard[index - 1]?.progress ?? -1)
  }
}
