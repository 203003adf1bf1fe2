import { describe, expect, it } from 'vitest'
import type { McpAnswers } from './answers.ts'
import type { Received } from './caller.ts'
import { ShortCalls } from './short-calls.ts'
import { createToolsets } from './toolset.ts'

const toolset = createToolsets().select(null)

function createWorld() {
  const asked: string[] = []
  const refuse = () => Promise.reject(new Error('Not a short call'))
  const answers: McpAnswers = {
    call: refuse,
    task: refuse,
    cancel: refuse,
    short: async (_received, tool) => {
      asked.push(tool.name)
      return { content: [] }
    },
  }
  const calls = new ShortCalls(answers, { name: 'millwright' })
  const send = (name: string, accept = 'application/json', params: object = {}) => {
    const request = new Request('http://127.0.0.1/mcp', { method: 'POST', headers: { accept } })
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, ...params } }
    const received: Received = {
      caller: { subject: 'owner' },
      credential: null,
      scopes: ['read'],
      toolset,
      requestId: 'r1',
      isStillGood: async () => true,
      resourceMetadata: undefined,
      message,
    }
    return {
      learn: () => calls.learn(request.headers, received),
      isServed: async () => (await calls.serve(request, received)) !== undefined,
    }
  }
  return { asked, send }
}

describe('ShortCalls', () => {
  it('answers once the SDK has served the same envelope, whatever the tool', async () => {
    const { asked, send } = createWorld()
    expect(await send('list_agents').isServed()).toBe(false)
    send('list_agents').learn()
    expect(await send('read_file').isServed()).toBe(true)
    expect(await send('read_file', 'text/plain').isServed()).toBe(false)
    expect(asked).toEqual(['read_file'])
  })

  it.each(['write_file', 'chat_with_agent', 'get_job', 'no_such_tool'])('leaves %s to the SDK', async (name) => {
    const { send } = createWorld()
    send('read_file').learn()
    send(name).learn()
    expect(await send(name).isServed()).toBe(false)
  })

  it('leaves what it has not looked at to the SDK', async () => {
    const { send } = createWorld()
    send('read_file').learn()
    expect(await send('read_file', 'application/json', { inputResponses: {} }).isServed()).toBe(false)
    expect(await send('read_file', 'application/json', { _meta: {} }).isServed()).toBe(false)
  })

  it('forgets the envelope that was used longest ago', async () => {
    const { send } = createWorld()
    send('read_file', 'first').learn()
    send('read_file', 'second').learn()
    expect(await send('read_file', 'first').isServed()).toBe(true)
    for (let count = 0; count < 199; count++) send('read_file', `more ${count}`).learn()
    expect(await send('read_file', 'first').isServed()).toBe(true)
    expect(await send('read_file', 'second').isServed()).toBe(false)
  })

  it('remembers none that is very long', async () => {
    const { send } = createWorld()
    const accept = 'x'.repeat(2000)
    send('read_file', accept).learn()
    expect(await send('read_file', accept).isServed()).toBe(false)
  })
})
