import type { Client } from '@modelcontextprotocol/client'

/** What the server says has changed: the address of a resource, or `list` where one came or went. */
export type ServerEvent = { readonly kind: 'resource'; readonly uri: string } | { readonly kind: 'list' }

export interface Events {
  /**
   * Tells of changes of these addresses, and of comings and goings, until the returned function is called. `onEvent` hears
   * `list` once when the server begins to tell, and after each interruption: what happened until then went unheard. Where
   * the server sends nothing nothing is heard: views ask again now and then besides.
   */
  subscribe(uris: readonly string[], onEvent: (event: ServerEvent) => void): () => void
}

interface Listener {
  readonly uris: readonly string[]
  readonly onEvent: (event: ServerEvent) => void
}

/** Views come and go in one breath: one new stream for all of them, and far fewer than the server allows in a minute. */
const SETTLE_MS = 250
const RETRY_FIRST_MS = 2000
const RETRY_LAST_MS = 60_000

/** All listeners of the page share one stream, opened while there is any. */
export function createEvents(client: () => Promise<Client>): Events {
  const listeners = new Set<Listener>()
  /** Of these the stream tells, without a gap since they asked last. */
  let told = new Set<Listener>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let current: { readonly wanted: string; close(): void } | undefined
  let round = 0
  let failures = 0

  const tell = (event: ServerEvent) => {
    for (const { uris, onEvent } of listeners) if (event.kind === 'list' || uris.includes(event.uri)) onEvent(event)
  }

  function settle(delayMs: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => void open(), delayMs)
  }

  function replace(next: typeof current): void {
    current?.close()
    current = next
  }

  function retry(): void {
    replace(undefined)
    told = new Set()
    failures++
    settle(Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** (failures - 1)))
  }

  /** One stream for all who listen now. The one before it tells until this one does, so that nothing is missed between. */
  async function open(): Promise<void> {
    round++
    const ours = round
    const asking = new Set(listeners)
    if (asking.size === 0) return replace(undefined)
    const uris = [...new Set([...asking].flatMap((listener) => listener.uris))].sort()
    const wanted = JSON.stringify(uris)
    if (current?.wanted === wanted) {
      told = asking
      return
    }
    try {
      const opened = await client()
      opened.setNotificationHandler('notifications/resources/updated', ({ params }) =>
        tell({ kind: 'resource', uri: params.uri }),
      )
      opened.setNotificationHandler('notifications/resources/list_changed', () => tell({ kind: 'list' }))
      const subscription = await opened.listen({ resourcesListChanged: true, resourceSubscriptions: uris })
      if (ours !== round) return void subscription.close()
      const stream = { wanted, close: () => void subscription.close().catch(() => undefined) }
      replace(stream)
      failures = 0
      const late = [...listeners].filter((listener) => !told.has(listener))
      told = asking
      for (const { onEvent } of late) onEvent({ kind: 'list' })
      void subscription.closed.then((how) => {
        if (current === stream && how !== 'local') retry()
      })
    } catch {
      // Nobody signed in, no server, or one that sends no events: tried again, less and less often.
      if (ours === round) retry()
    }
  }

  return {
    subscribe(uris, onEvent) {
      const listener = { uris, onEvent }
      listeners.add(listener)
      settle(SETTLE_MS)
      return () => {
        listeners.delete(listener)
        settle(SETTLE_MS)
      }
    },
  }
}
