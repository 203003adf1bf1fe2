import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { EVENTS_PROTOCOL } from '#functions/events/offered-protocols.ts'
import { type KeyedEdge, startKeyedEdge } from '#test/support/keyed-edge.ts'

// What is open when a token is revoked.

let keyed: KeyedEdge
beforeAll(async () => {
  keyed = await startKeyedEdge()
})
afterAll(() => keyed?.stop())

it('ends every stream of a token that is revoked, and none of another', async () => {
  const made = await Promise.all(
    ['revoked', 'kept'].map((name) => keyed.keys('token', '--user', 'Anna', '--name', name, '--scopes', 'read')),
  )
  const [revoked, kept] = made.map((text) => ({
    id: /t_[0-9a-z]{20}/.exec(text)?.[0] ?? '',
    token: /mwp_[\w-]{43}/.exec(text)?.[0] ?? '',
  }))
  if (revoked === undefined || kept === undefined) throw new Error('No token was made')

  const ended: string[] = []
  const openAll = async (name: string, token: string) => {
    const socket = new WebSocket(`${keyed.edge.url.replace(/^http/, 'ws')}/events`, [
      EVENTS_PROTOCOL,
      `bearer.${token}`,
    ])
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject))
    socket.once('close', (code) => void ended.push(`${name} ${code}`))
    const client = new Client({ name, version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
    const requestInit = { headers: { authorization: `Bearer ${token}` } }
    await client.connect(new StreamableHTTPClientTransport(new URL(`${keyed.edge.url}/mcp`), { requestInit }))
    const subscription = await client.listen({ resourcesListChanged: true })
    void subscription.closed.then(() => ended.push(`${name} listen`))
    return async () => {
      socket.terminate()
      await client.close()
    }
  }
  const close = [await openAll('revoked', revoked.token), await openAll('kept', kept.token)]
  await keyed.keys('revoke', revoked.id)
  await expect
    .poll(() => ended.toSorted(), { timeout: 20_000, interval: 50 })
    .toEqual(['revoked 1008', 'revoked listen'])
  for (const end of close) await end()
})
