import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server'
import type { WorkspaceEvent } from '#shared/schemas/event.ts'
import { type Coalescer, createCoalescer } from '../events/coalescer.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import { resourceKey, toResourceChange } from './changed-resources.ts'

/** A person sees no more changes than this, and a client that reads again with each reads no oftener. */
const INTERVAL_MS = 100
/** Resources of one subscriber: all that a page shows of a large workspace. */
export const SUBSCRIBED_MAX = 1000

/**
 * What one subscriber is told of one workspace. It is the SDK's bus for one stream: each knows which addresses its subscriber
 * wrote, so that a file is found by any spelling of its address, and what nobody asked for is dropped before it waits.
 */
export interface SubscriptionFeed extends ServerEventBus {
  /** Tells of a resource from now on. False where it is not an address of ours, or there are too many. Throws as `parseResourceUri`. */
  add(uri: string): boolean
  remove(uri: string): void
  /** Tells of all that it tells of: any of it may have changed unheard. */
  tellAll(): void
  /** Nothing is told afterwards. */
  close(): void
}

/** Resolves when it hears, so that what a client reads after its subscription was acknowledged is not older than the feed. */
export async function openSubscriptionFeed({
  bus,
  workspace,
}: Pick<EdgePorts, 'bus' | 'workspace'>): Promise<SubscriptionFeed> {
  // By key the addresses as the subscriber wrote them.
  const uris = new Map<string, Set<string>>()
  const listeners = new Set<(event: ServerEvent) => void>()
  let count = 0
  const coalescer: Coalescer<ServerEvent> = createCoalescer(INTERVAL_MS, keyOf, (event) => {
    for (const listener of listeners) listener(event)
  })
  const hear = (event: WorkspaceEvent | null): void => {
    // What was missed may have been anything.
    const { list, keys } = event === null ? { list: true, keys: [...uris.keys()] } : toResourceChange(event)
    if (list) coalescer.push({ kind: 'resources_list_changed' })
    for (const key of keys) {
      for (const uri of uris.get(key) ?? []) coalescer.push({ kind: 'resource_updated', uri })
    }
  }
  const stop = await bus.watchWorkspace(workspace, hear)

  return {
    add(uri) {
      const key = resourceKey(uri)
      if (key === null || count >= SUBSCRIBED_MAX) return false
      const known = uris.get(key) ?? new Set()
      if (!known.has(uri)) count++
      uris.set(key, known.add(uri))
      return true
    },
    remove(uri) {
      const key = resourceKey(uri)
      const known = key === null ? undefined : uris.get(key)
      if (key === null || known?.delete(uri) !== true) return
      count--
      if (known.size === 0) uris.delete(key)
    },
    tellAll: () => hear(null),
    publish: (event) => coalescer.push(event),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      stop()
      coalescer.stop()
      listeners.clear()
      uris.clear()
    },
  }
}

const keyOf = (event: ServerEvent): string =>
  event.kind === 'resource_updated' ? `${event.kind} ${event.uri}` : event.kind
