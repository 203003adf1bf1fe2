import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { QualityReport } from '#shared/schemas/quality.ts'
import type { ValidationOutcome } from '#shared/schemas/validation.ts'
import type { ChatOutcome } from '#shared/tools/agents.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'
import { OVERLY_COMPLEX_FUNCTION, TOO_LONG_TEXT } from '#test/support/user-samples.ts'

// The user's acceptance suites A, B and C, step by step against a running server, through the official client. The demo
// model stands in for a trained one: it answers exactly these two tasks, through llama.cpp like any other.

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({ files: { 'README.md': '# Sample\n' }, model: 'demo' })
})
afterAll(() => world?.stop())

const blobOf = (path: string) => world.repository.git('hash-object', path)

describe('suite A: core protocol', () => {
  it('test 1: tool discovery', async () => {
    const { tools } = await world.client.client.listTools()
    const names = tools.map((tool) => tool.name)
    expect(names.length).toBeGreaterThan(20)
    expect(names).toContain('create_agent')
    expect(names).toContain('git_commit')
    for (const tool of tools) {
      expect(tool.inputSchema.type, tool.name).toBe('object')
      expect(tool.outputSchema, tool.name).toMatchObject({ type: 'object' })
      expect(tool.description, tool.name).not.toBe('')
    }
  })

  it('tests 2 to 4: an agent is made, its file written, and the agent removed; the file stays', async () => {
    const agent_id = 'mcp-test-agent'
    const asked = {
      agent_id,
      name: 'MCP Test Agent',
      managed_file: 'mcp_test.py',
      system_prompt: 'Test agent for MCP validation',
    }
    const created = await world.client.call('create_agent', asked)
    expect(created.success).toBe(true)
    expect(created.fields).toEqual({
      agent: {
        ...asked,
        model: null,
        description: null,
        state: 'idle',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
    })

    const content = "# MCP Test File\nprint('Hello from MCP')"
    const updated = await world.client.call('agent_update_file', { agent_id, content })
    expect(updated.success).toBe(true)
    expect(updated.fields).toMatchObject({
      path: 'mcp_test.py',
      checks: { passed: true, ran: expect.arrayContaining(['syntax', 'line_limit']) },
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(updated.fields.diff).toContain("+print('Hello from MCP')")
    expect(world.repository.read('mcp_test.py')).toBe(content)

    expect(await world.client.ok('delete_agent', { agent_id })).toEqual({
      deleted: true,
      agent_id,
      managed_file: 'mcp_test.py',
    })
    const gone = await world.client.call('get_agent_info', { agent_id })
    expect(gone).toMatchObject({ success: false, error: { code: 'not_found' } })
    expect(world.repository.read('mcp_test.py')).toBe(content)
  })
})

describe('suite B: agent collaboration', () => {
  it('the consumer builds on the producer’s file', async () => {
    const { client } = world
    const create = (agent_id: string, name: string, managed_file: string, system_prompt: string) =>
      client.ok('create_agent', { agent_id, name, managed_file, system_prompt })
    await create('producer-agent', 'Data Producer', 'producer.py', 'Generate data structures')
    await create('consumer-agent', 'Data Consumer', 'consumer.py', 'Process data from producer')

    const produced = (await client.ok('chat_with_agent', {
      agent_id: 'producer-agent',
      message: 'Create a User model with id, name, email',
      wait_seconds: 50,
    })) as ChatOutcome & { state: string }
    expect(produced).toMatchObject({
      state: 'succeeded',
      changed: true,
      attempts: 1,
      checks: { passed: true },
      diff_truncated: false,
    })
    expect(produced.usage.prompt_tokens).toBeGreaterThan(0)
    expect(produced.usage.completion_tokens).toBeGreaterThan(0)
    const producerBlob = await blobOf('producer.py')

    const consumed = (await client.ok('chat_with_agent', {
      agent_id: 'consumer-agent',
      message: 'Create API endpoints for the User model',
      context: { producer_file: 'producer.py' },
      wait_seconds: 50,
    })) as ChatOutcome & { state: string }
    expect(consumed).toMatchObject({ state: 'succeeded', changed: true, checks: { passed: true } })

    const producerFile = await client.ok('get_agent_file', { agent_id: 'producer-agent' })
    const consumerFile = await client.ok('get_agent_file', { agent_id: 'consumer-agent' })
    expect(producerFile.content).toContain('class User')
    expect(consumerFile.content).toContain('def create_user')
    expect(producerFile.content).toBe(world.repository.read('producer.py'))
    expect(consumerFile.content).toBe(world.repository.read('consumer.py'))
    // Giving a file as context lets nobody write it.
    expect(await blobOf('producer.py')).toBe(producerBlob)
    expect((await client.ok('git_status', {})).files).toContainEqual({ path: 'consumer.py', index: '?', worktree: '?' })
  }, 120_000)
})

describe('suite C: schema validation', () => {
  it('test 1: file size limits', async () => {
    const answer = await world.client.call('validate_file_length', {
      file_path: 'test_large.py',
      content: TOO_LONG_TEXT,
    })
    expect(answer.fields).toEqual({
      path: 'test_large.py',
      violations: { exceeds_limit: true, line_count: 350, limit: 300 },
    })
    expect(answer.text).toBe('test_large.py: 350 lines, limit 300: shorten it or move parts to other files')
  })

  it('test 2: function complexity, which is 9 and 36, and flagged', async () => {
    const answer = await world.client.call('analyze_code_quality', { content: OVERLY_COMPLEX_FUNCTION })
    const report = answer.fields as unknown as QualityReport
    expect(report.complexity).toMatchObject({ cyclomatic: 9, cognitive: 36 })
    expect(report.language).toBe('python')
    expect(report.issues).toContainEqual({
      rule: 'complexity',
      severity: 'warning',
      line: 2,
      message: expect.stringContaining('cognitive 36 (limit 15)'),
    })
    expect(answer.text).toContain('content (python): score 80 of 100')
    expect(answer.text).toContain('Complexity: cyclomatic 9, cognitive 36, 1 functions')
  })

  it('test 3: required files', async () => {
    world.repository.write('untested.py', 'x = 1\n')
    world.repository.write('packages/cart/package.json', '{ "name": "cart" }\n')
    const answer = await world.client.call('run_all_validations', {})
    expect(answer.success).toBe(true)
    const outcome = answer.fields as unknown as ValidationOutcome
    expect(outcome).toMatchObject({ passed: true, incomplete: null, files_skipped: 0 })
    expect(outcome.issues.missing_tests).toContainEqual({
      path: 'untested.py',
      line: null,
      severity: 'warning',
      message: expect.stringContaining('test_untested.py'),
    })
    expect(outcome.issues.missing_readmes).toEqual([
      {
        path: 'packages/cart/README.md',
        line: null,
        severity: 'warning',
        message: 'No README in `packages/cart`: say what is in it and how it is used',
      },
    ])
    expect(outcome.totals).toMatchObject({
      missing_tests: outcome.issues.missing_tests.length,
      missing_readmes: 1,
      exceeds_limit: 0,
      syntax_errors: 0,
    })
    expect(Object.keys(outcome.hints)).toEqual(expect.arrayContaining(['missing_tests', 'missing_readmes']))
    expect(answer.text).toContain('missing_readmes: 1 (')
    expect(outcome.sarif).toMatch(/^millwright:\/\/reports\/jobs\/job_\w+\/sarif$/)
  })
})
