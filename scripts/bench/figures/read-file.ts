import { startBareRoute } from '../bare-route.ts'
import { SAMPLE_PATH, startBenchStack } from '../bench-stack.ts'
import type { Figure } from '../figure.ts'
import { createKeepAliveClient } from '../keep-alive-client.ts'
import { countInterleaved, timeInterleaved } from '../rounds.ts'
import { toRow } from '../row.ts'
import { median, medianRatio, percentile } from '../statistics.ts'
import { createToolCalls } from '../tool-calls.ts'

const CONNECTIONS = 32
/** What the protocol and all our checks together may add to a route that does nothing but the round trip. */
const P50_RATIO_MAX = 1.3

/** `read_file` of a 4 kB file, in both eras, against a bare route with the same NATS round trip to the same worker. */
export const measureReadFile: Figure = async ({ quick, signal }) => {
  const world = await startBenchStack({ signal })
  const client = createKeepAliveClient(CONNECTIONS)
  try {
    const bare = await startBareRoute(world, signal)
    try {
      const tools = createToolCalls(client, world.stack)
      const args = { path: SAMPLE_PATH }
      const contenders = {
        bare: bare.timed(client, 'read_file', args),
        modern: tools.timed('read_file', () => args, '2026-07-28'),
        legacy: tools.timed('read_file', () => args, '2025-11-25'),
      }
      const latencyPlan = quick
        ? { warmUp: 300, rounds: 6, callsPerRound: 100 }
        : { warmUp: 2000, rounds: 30, callsPerRound: 200 }
      const times = await timeInterleaved(contenders, latencyPlan, signal)
      const throughputPlan = { rounds: quick ? 6 : 12, callsPerRound: quick ? 250 : 600, connections: CONNECTIONS }
      const rates = await countInterleaved(contenders, throughputPlan, signal)

      return (['bare', 'modern', 'legacy'] as const).flatMap((contender) => {
        const who = names[contender]
        const latency = (share: number) => {
          const name = `${who}, p${share * 100}`
          const value = percentile(times[contender].flat(), share)
          if (contender === 'bare') return toRow({ name, value, unit: 'ms' })
          const ratio =
            share <= 0.5
              ? medianRatio(ofRounds(times[contender], share), ofRounds(times.bare, share))
              : // A round holds too few calls for its own 99th percentile.
                value / percentile(times.bare.flat(), share)
          const comparedWith = { name: `${names.bare}, p${share * 100}`, ratio }
          const isGoal = contender === 'modern' && share === 0.5
          return toRow({
            name,
            value,
            unit: 'ms',
            comparedWith,
            ...(isGoal ? { target: { of: 'ratio', max: P50_RATIO_MAX } as const } : {}),
          })
        }
        const rate = {
          name: `${who}, ${CONNECTIONS} connections`,
          value: median(rates[contender]),
          unit: 'calls/s',
        }
        const comparedWith = {
          name: `${names.bare}, ${CONNECTIONS} connections`,
          ratio: medianRatio(rates[contender], rates.bare),
        }
        return [
          latency(0.1),
          latency(0.5),
          latency(0.99),
          toRow(contender === 'bare' ? rate : { ...rate, comparedWith }),
        ]
      })
    } finally {
      await bare.stop()
    }
  } finally {
    client.close()
    await world.stop()
  }
}

const names = {
  bare: 'bare route',
  modern: 'read_file 2026-07-28',
  legacy: 'read_file 2025-11-25',
} as const

const ofRounds = (rounds: readonly number[][], share: number): number[] =>
  rounds.map((times) => percentile(times, share))
