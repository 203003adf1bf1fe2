import assert from 'node:assert/strict'
import type { SuiteRecorder } from '../recorder.ts'
import type { AcceptanceWorld } from '../world.ts'

const AGENT = {
  agent_id: 'mcp-test-agent',
  name: 'MCP Test Agent',
  managed_file: 'mcp_test.py',
  system_prompt: 'Test agent for MCP validation',
}
const CONTENT = "# MCP Test File\nprint('Hello from MCP')"

/** The user's suite A. */
export async function runCoreProtocol(
  { run }: SuiteRecorder,
  { measured, repository }: AcceptanceWorld,
): Promise<void> {
  const { agent_id } = AGENT
  await run({ name: 'Tool discovery' }, async () => {
    const names = await measured.listToolNames()
    assert.ok(names.length > 20, `Expected more than 20 tools, found ${names.length}`)
    for (const name of ['create_agent', 'git_commit']) assert.ok(names.includes(name), `There is no tool ${name}`)
    return `${names.length} tools`
  })
  await run({ name: 'Agent lifecycle' }, async () => {
    const { agent } = await measured.ok('create_agent', AGENT)
    const { managed_file } = agent as { managed_file: string }
    assert.equal(managed_file, AGENT.managed_file)
    return `${agent_id} owns ${managed_file}`
  })
  await run({ name: 'File operations' }, async () => {
    const { sha256 } = await measured.ok('agent_update_file', { agent_id, content: CONTENT })
    assert.equal(repository.read(AGENT.managed_file), CONTENT)
    return `written and on disk, SHA-256 ${sha256}`
  })
  await run({ name: 'Cleanup' }, async () => {
    await measured.ok('delete_agent', { agent_id })
    const gone = await measured.call('get_agent_info', { agent_id })
    assert.equal(gone.error?.code, 'not_found')
    assert.equal(repository.read(AGENT.managed_file), CONTENT)
    return 'the agent is gone, its file stays'
  })
}
