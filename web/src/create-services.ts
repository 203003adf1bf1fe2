import type { Client } from '@modelcontextprotocol/client'
import * as v from 'valibot'
import { getServerInfo } from '#shared/tools/system.ts'
import { createEvents } from './api/events.ts'
import { createQueryClient } from './api/queries.ts'
import type { Fetch } from './api/server-json.ts'
import { createTools } from './api/tools.ts'
import { watchConnection } from './state/connection.ts'
import type { Services } from './state/services.ts'
import { createSessionKeeper, SESSION_KEY } from './state/session.ts'
import { createToasts } from './state/toasts.ts'

const TICK_MS = 15_000
const Health = v.object({ registry: v.boolean(), nats: v.boolean() })

/** All that the page works with, on the browser's own fetch, storage and locks; begins to look after the connection. */
export function createServices(): Services {
  const fetch: Fetch = (path, init) => window.fetch(path, init)
  const session = createSessionKeeper({
    fetch,
    storage: localStorage,
    now: () => Date.now(),
    exclusive: (work) => navigator.locks.request(SESSION_KEY, work),
  })
  const client = keepClient(async () => {
    const { openMcpClient } = await import('./api/mcp-connection.ts')
    return openMcpClient(new URL('/mcp', location.href), session)
  })
  const tools = createTools(client)
  const queries = createQueryClient()
  const isSignedIn = () => session.state.get().kind === 'signed_in'
  const connection = watchConnection(
    {
      isOnline: () => navigator.onLine,
      // An error still says what is wrong, in the same form.
      health: async () => {
        const response = await fetch('/healthz', { cache: 'no-store' })
        return v.parse(Health, await response.json())
      },
      serverInfo: async () => (isSignedIn() ? tools.call(getServerInfo, {}) : null),
    },
    () => void queries.invalidateQueries(),
  )

  session.state.subscribe(() => {
    if (!isSignedIn()) queries.clear()
    connection.look()
  })
  const lookNow = () => {
    if (document.hidden) return
    void session.tick()
    connection.look()
  }
  for (const name of ['online', 'offline', 'focus']) window.addEventListener(name, lookNow)
  document.addEventListener('visibilitychange', lookNow)
  window.addEventListener('storage', ({ key }) => key === SESSION_KEY && void session.tick())
  setInterval(() => void session.tick(), TICK_MS)
  void session.tick()
  return { session, connection, tools, events: createEvents(client), queries, toasts: createToasts() }
}

/** Opens a client when one is first needed, and another where that did not succeed. */
function keepClient(open: () => Promise<Client>): () => Promise<Client> {
  let kept: Promise<Client> | undefined
  return () => {
    kept ??= open().catch((error: unknown) => {
      kept = undefined
      throw error
    })
    return kept
  }
}
