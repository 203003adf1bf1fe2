import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdioTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig } from '#functions/config.ts'
import { type EdgeServer, serveEdge } from '#functions/entry.node.ts'
import type { ExtensionTool, McpExtension } from '#functions/mcp/extension.ts'
import { claimPort } from '#scripts/free-port.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { createConformanceExtension } from '#test/conformance/extension.ts'
import { createTasks } from '#test/conformance/tasks.ts'
import { bridgeProgram, startBareBridge } from '#test/support/bridge-program.ts'
import { type KeyedEdge, startKeyedEdge } from '#test/support/keyed-edge.ts'
import { until } from '#test/support/live-stack.ts'
import { modernMeta } from '#test/support/mcp-message.ts'

// millwright-mcp in front of the functions without a worker: its sign-in by key, and what an endpoint says of its own accord. What
// asks and announces are tools of the official tests, and one of ours, that live in the test build alone.

/** A program as the current SDK's transport takes it. */
const toParameters = ({ command, args, env }: ReturnType<typeof bridgeProgram>) => ({
  command,
  args: [...args],
  env,
  stderr: 'ignore' as const,
})

describe('the bridge with a key', () => {
  let keyed: KeyedEdge
  beforeAll(async () => {
    keyed = await startKeyedEdge()
  })
  afterAll(() => keyed?.stop())

  const connect = async (args: readonly string[]) => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
    const program = bridgeProgram(`${keyed.edge.url}/mcp`, {}, ['--key', join(keyed.folder, 'anna.pem'), ...args])
    await client.connect(new StdioClientTransport(toParameters(program)))
    return client
  }

  it('signs in by itself, with the scopes that it was given', async () => {
    const writer = await connect(['--workspace', 'shop'])
    expect((await writer.callTool({ name: 'list_agents', arguments: {} })).structuredContent).toMatchObject({
      success: true,
    })
    const made = { agent_id: 'a', name: 'A', managed_file: 'a.py', system_prompt: '' }
    // NATS is away, by which a worker would look at the file; but the call was let in.
    expect((await writer.callTool({ name: 'create_agent', arguments: made })).structuredContent).toMatchObject({
      error: { code: 'unavailable' },
    })
    await writer.close()

    const reader = await connect(['--scope', 'read'])
    await expect(reader.callTool({ name: 'create_agent', arguments: made })).rejects.toMatchObject({
      code: -32000,
      data: { code: 'forbidden', details: { required_scopes: expect.arrayContaining(['write']) } },
    })
    await reader.close()
  })

  it.each([
    ['another workspace', ['--workspace', 'elsewhere'], /role|workspace|member/i],
    ['a key that is not registered', null, /not registered|not accepted|invalid/i],
  ])('is refused for %s, in the words of the endpoint', async (_what, args, words) => {
    const file = join(keyed.folder, 'stranger.pem')
    if (args === null) {
      const { generateKeyPairSync } = await import('node:crypto')
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
      expect(statSync(file).mode & 0o077).toBe(0)
    }
    const key = ['--key', args === null ? file : join(keyed.folder, 'anna.pem')]
    const bridge = startBareBridge(bridgeProgram(`${keyed.edge.url}/mcp`, {}, [...key, ...(args ?? [])]))
    bridge.send({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: modernMeta() } })
    const { error } = await bridge.next(({ id }) => id === 1)
    expect(error).toMatchObject({ code: -32000 })
    expect(error?.message).toMatch(words)
    await bridge.end()
  })
})

describe('the bridge and what an endpoint says of its own accord', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-bridge-'))
  let port: number
  let edge: EdgeServer

  /** Announces what no tool of ours ever changes while the functions run. */
  const announce: ExtensionTool = {
    listed: { name: 'test_announce', description: 'Announces a new list of tools', inputSchema: { type: 'object' } },
    call: async (_args, _context, server) => {
      await server.sendToolListChanged()
      return { content: [{ type: 'text', text: 'Announced' }] }
    },
  }
  const conformanceExtension = createConformanceExtension(createTasks())
  const extension: McpExtension = {
    ...conformanceExtension,
    capabilities: { ...conformanceExtension.capabilities, tools: { listChanged: true } },
    tools: new Map([...conformanceExtension.tools, [announce.listed.name, announce]]),
  }
  const serve = () =>
    serveEdge(
      parseConfig({
        NATS_URL: 'nats://127.0.0.1:1',
        MILLWRIGHT_DATA: join(folder, 'edge'),
        MILLWRIGHT_WORKSPACE: toWorkspaceId('asking'),
        MILLWRIGHT_PORT: String(port),
      }),
      { info: () => undefined, error: () => undefined },
      extension,
    )
  const program = () => bridgeProgram(`${edge.url}/mcp`, { MILLWRIGHT_TOKEN: edge.token })
  const answer = { action: 'accept' as const, content: { username: 'ada', email: 'ada@example.com', name: 'Ada' } }

  beforeAll(async () => {
    port = await claimPort(0)
    edge = await serve()
  })
  afterAll(async () => {
    await edge?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('passes on a question and its answer, as revision 2026-07-28 has them', async () => {
    const client = new Client(
      { name: 'test', version: '1' },
      { capabilities: { elicitation: {} }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    )
    client.setRequestHandler('elicitation/create', async () => answer)
    await client.connect(new StdioClientTransport(toParameters(program())))
    const { content } = await client.callTool({ name: 'test_input_required_result_elicitation', arguments: {} })
    expect(content).toEqual([{ type: 'text', text: 'Hello, Ada!' }])
    await client.close()
  })

  it('keeps a subscription of revision 2026-07-28 over a restart', async () => {
    const bridge = startBareBridge(program())
    const acknowledged = () =>
      bridge.lines.filter((line) => line.includes('"notifications/subscriptions/acknowledged"')).length
    const notifications = { toolsListChanged: true }
    bridge.send({
      jsonrpc: '2.0',
      id: 'listen',
      method: 'subscriptions/listen',
      params: { notifications, _meta: modernMeta() },
    })
    await until(() => acknowledged() === 1)
    await edge.close()
    edge = await serve()
    await until(() => acknowledged() === 2)
    expect(await bridge.end()).toBe(0)
  })

  it.each(['v2', 'v1'] as const)(
    'passes on questions, messages and announcements of a session, and begins a forgotten one anew (%s)',
    { timeout: 60_000 },
    async (kind) => {
      const heard: string[] = []
      const { call, close } = kind === 'v1' ? await connectOld(heard) : await connectCurrent(heard)
      const ask = () => call('test_elicitation', { message: 'Who?' })
      expect(await ask()).toContain('ada@example.com')
      await call('test_tool_with_logging', {})
      expect(heard).toContain('notifications/message')
      await call('test_announce', {})
      await until(() => heard.includes('notifications/tools/list_changed'))

      await edge.close()
      edge = await serve()
      heard.length = 0
      // Questions need a session, and announcements its stream, of which the new process knew nothing.
      expect(await ask()).toContain('ada@example.com')
      await call('test_announce', {})
      await until(() => heard.includes('notifications/tools/list_changed'))
      await close()
    },
  )

  async function connectCurrent(heard: string[]) {
    const client = new Client({ name: 'test', version: '1' }, { capabilities: { elicitation: {} } })
    client.setRequestHandler('elicitation/create', async () => answer)
    for (const method of ['notifications/message', 'notifications/tools/list_changed'] as const) {
      client.setNotificationHandler(method, () => void heard.push(method))
    }
    await client.connect(new StdioClientTransport(toParameters(program())))
    return {
      call: async (name: string, args: Record<string, unknown>) =>
        JSON.stringify((await client.callTool({ name, arguments: args })).content),
      close: () => client.close(),
    }
  }

  async function connectOld(heard: string[]) {
    const client = new OldClient({ name: 'test', version: '1' }, { capabilities: { elicitation: {} } })
    client.setRequestHandler(ElicitRequestSchema, async () => answer)
    client.fallbackNotificationHandler = async ({ method }) => void heard.push(method)
    await client.connect(new OldStdioTransport(toParameters(program())))
    return {
      call: async (name: string, args: Record<string, unknown>) =>
        JSON.stringify((await client.callTool({ name, arguments: args })).content),
      close: () => client.close(),
    }
  }
})
