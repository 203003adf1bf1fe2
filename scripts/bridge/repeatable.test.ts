import type { JSONRPCRequest } from '@modelcontextprotocol/client'
import { describe, expect, it } from 'vitest'
import { Repeatable } from './repeatable.ts'

const call = (name: string, args?: object): JSONRPCRequest => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, ...(args === undefined ? {} : { arguments: args }) },
})

describe('what may be sent again though it may have been received', () => {
  const repeatable = new Repeatable()
  repeatable.learn({
    tools: [
      { name: 'read_file', annotations: { readOnlyHint: true } },
      { name: 'write_file', annotations: { readOnlyHint: false, idempotentHint: true } },
      { name: 'bare' },
    ],
  })

  it.each([
    [call('read_file', { path: 'a' }), true],
    [call('read_file'), true],
    // It would find the file changed, by itself, and say that it could not write.
    [call('write_file', { path: 'a' }), false],
    [call('bare'), false],
    [call('never_listed'), false],
    [call('chat_with_agent', { message: 'Go' }), false],
    [call('chat_with_agent', { message: 'Go', idempotency_key: 'once' }), true],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/call' } as const, false],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/list' } as const, true],
    [{ jsonrpc: '2.0', id: 1, method: 'subscriptions/listen' } as const, true],
  ])('%j: %s', (request, allowed) => {
    expect(repeatable.allows(request)).toBe(allowed)
  })

  it('follows what the endpoint lists last', () => {
    const changed = new Repeatable()
    changed.learn({ tools: [{ name: 'a', annotations: { readOnlyHint: true } }] })
    changed.learn({ nothing: 'of the kind' })
    expect(changed.allows(call('a'))).toBe(true)
    changed.learn({ tools: [{ name: 'a' }] })
    expect(changed.allows(call('a'))).toBe(false)
  })
})
