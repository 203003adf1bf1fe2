import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { ClientKind } from './client-kinds.ts'

/** A client that is told of changes: what it was told, in order. */
export interface Subscriber {
  readonly client: Client
  /** Addresses of resources, and `list` for the list of them. */
  readonly heard: string[]
  /** Settles when a stream of 2026-07-28 ends: by the client, or with how the server ended it. */
  readonly ended: Promise<string>
  close(): Promise<void>
}

/** Subscribes to these addresses and to the list of resources. Resolves when the server has taken it. */
export async function subscribe(
  kind: Exclude<ClientKind, 'v1'>,
  url: string,
  token: string,
  uris: readonly string[],
): Promise<Subscriber> {
  const isModern = kind === 'v2 of 2026-07-28'
  const client = new Client(
    { name: 'millwright-subscriber', version: '1.0.0' },
    isModern ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {},
  )
  const heard: string[] = []
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri))
  client.setNotificationHandler('notifications/resources/list_changed', () => void heard.push('list'))
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }))
  let ended: Promise<string> = new Promise(() => undefined)
  if (isModern) {
    const subscription = await client.listen({ resourcesListChanged: true, resourceSubscriptions: [...uris] })
    ended = subscription.closed
  } else {
    for (const uri of uris) await client.subscribeResource({ uri })
  }
  return { client, heard, ended, close: () => client.close() }
}
