import type { ToolOutput } from '#shared/tools/define-tool.ts'
import type { getServerInfo } from '#shared/tools/system.ts'
import { createStore, type Store } from './store.ts'

export type ServerInfo = ToolOutput<typeof getServerInfo>

/** What stands between the page and a local model that works, worst first; `detail` is for the person. */
export type Condition =
  | 'offline'
  | 'server_unreachable'
  | 'server_failing'
  | 'worker_offline'
  | 'model_unavailable'
  | 'checking'
  | 'ok'
export interface Connection {
  readonly condition: Condition
  readonly detail: string
}

export interface Health {
  readonly registry: boolean
  readonly nats: boolean
}

export interface ConnectionPorts {
  /** Whether this machine has any network at all. */
  readonly isOnline: () => boolean
  /** Rejects where the server does not answer. */
  readonly health: () => Promise<Health>
  /** Null while nobody is signed in: then nobody may know. Rejects as `callTool` does. */
  readonly serverInfo: () => Promise<ServerInfo | null>
}

const WELL: Connection = { condition: 'ok', detail: 'Connected' }

/** Looks once. Never rejects. */
export async function lookAtConnection(ports: ConnectionPorts): Promise<Connection> {
  if (!ports.isOnline()) return { condition: 'offline', detail: 'This computer is offline' }
  let health: Health
  try {
    health = await ports.health()
  } catch {
    return { condition: 'server_unreachable', detail: 'The server does not answer: is it still running?' }
  }
  if (!health.registry) {
    return { condition: 'server_failing', detail: 'The registry cannot be read: see the log of the server' }
  }
  if (!health.nats) return { condition: 'server_failing', detail: 'Not connected to NATS: no worker can be reached' }
  try {
    const info = await ports.serverInfo()
    return info === null ? WELL : ofWorkers(info)
  } catch {
    // Signed out meanwhile, or busy: that is said where it matters. The server itself is there.
    return WELL
  }
}

function ofWorkers({ workers }: ServerInfo): Connection {
  if (workers.length === 0) {
    return { condition: 'worker_offline', detail: 'No worker is connected: start one with npm run worker' }
  }
  const models = workers.flatMap((worker) => worker.models)
  if (models.some(({ state }) => state === 'ready')) return WELL
  const [model] = models
  const detail = model === undefined ? 'No model is configured' : `Model ${model.name}: ${model.state}. ${model.detail}`
  return { condition: 'model_unavailable', detail }
}

export interface ConnectionWatch {
  readonly state: Store<Connection>
  /** Looks now, and goes on from there. */
  look(): void
  stop(): void
}

const WELL_INTERVAL_MS = 15_000
const FIRST_RETRY_MS = 1000

/** How long until the next look, after `failures` looks in a row that found something wrong. */
export const retryDelayMs = (failures: number): number =>
  failures === 0 ? WELL_INTERVAL_MS : Math.min(WELL_INTERVAL_MS, FIRST_RETRY_MS * 2 ** (failures - 1))

/** Looks again and again: soon while something is wrong, now and then else. `onRecovered` is told when all is well again. */
export function watchConnection(ports: ConnectionPorts, onRecovered: () => void): ConnectionWatch {
  const state = createStore<Connection>({ condition: 'checking', detail: 'Connecting…' })
  let failures = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let round = 0

  async function look(): Promise<void> {
    round++
    const ours = round
    clearTimeout(timer)
    const before = state.get()
    const found = await lookAtConnection(ports)
    // Another look has begun, or the watch has ended, since.
    if (ours !== round) return
    failures = found.condition === 'ok' ? 0 : failures + 1
    if (found.condition !== before.condition || found.detail !== before.detail) state.set(found)
    if (found.condition === 'ok' && before.condition !== 'ok' && before.condition !== 'checking') onRecovered()
    timer = setTimeout(() => void look(), retryDelayMs(failures))
  }

  void look()
  return {
    state,
    look() {
      failures = 0
      void look()
    },
    stop() {
      round++
      clearTimeout(timer)
    },
  }
}
