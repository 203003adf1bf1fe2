import type { ToolOutput } from '#shared/tools/define-tool.ts'
import type { getServerInfo } from '#shared/tools/system.ts'
import { createStore, type Store } from '../../state/store.ts'

export type ServerInfo = ToolOutput<typeof getServerInfo>

/** The figures of one moment. Memory in bytes; null where no worker was there to tell. */
export interface Sample {
  /** In ms since the epoch. */
  readonly time: number
  readonly running: number
  readonly queued: number
  readonly edgeBytes: number
  readonly workerBytes: number | null
  readonly modelBytes: number | null
  readonly gpuBytes: number | null
}

/** An hour, asked every five seconds. */
const SAMPLES_MAX = 720

export interface Samples {
  readonly state: Store<readonly Sample[]>
  /** Keeps what was said at `time`, unless that is known already. The oldest give way. */
  add(time: number, info: ServerInfo): void
}

export function createSamples(): Samples {
  const state = createStore<readonly Sample[]>([])
  return {
    state,
    add(time, info) {
      const known = state.get()
      const last = known.at(-1)
      if (last !== undefined && last.time >= time) return
      state.set([...known, toSample(time, info)].slice(-SAMPLES_MAX))
    },
  }
}

function toSample(time: number, { queue, memory, workers }: ServerInfo): Sample {
  return {
    time,
    running: queue.running,
    queued: queue.queued,
    edgeBytes: memory.edge_bytes,
    workerBytes: sumOf(workers.map((worker) => worker.memory.daemon_bytes)),
    modelBytes: sumOf(workers.map((worker) => worker.memory.model_bytes)),
    gpuBytes: sumOf(workers.map((worker) => worker.gpu?.memory_used_bytes ?? null)),
  }
}

/** Of what is known; null where nothing is. */
function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((one, other) => one + other, 0)
}
