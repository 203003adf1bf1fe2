import { startBareRoute } from '../bare-route.ts'
import { SAMPLE_PATH, startBenchStack } from '../bench-stack.ts'
import type { Figure } from '../figure.ts'
import { createKeepAliveClient } from '../keep-alive-client.ts'
import { startFilesystemServer } from '../peers/filesystem-server.ts'
import { findFilesystemServer } from '../peers/filesystem-server-install.ts'
import { startSdkServer } from '../peers/sdk-server.ts'
import { type Call, countInterleaved, timeInterleaved } from '../rounds.ts'
import { type Row, toRow } from '../row.ts'
import { median, medianRatio, percentile } from '../statistics.ts'
import { createToolCalls } from '../tool-calls.ts'

const CONNECTIONS = 32
/** What the protocol and all our checks together may add to a route that does nothing but the round trip. */
const P50_RATIO_MAX = 1.3

const names = {
  bare: 'bare route',
  modern: 'read_file 2026-07-28',
  legacy: 'read_file 2025-11-25',
  sdkModern: 'bare SDK server 2026-07-28',
  sdkLegacy: 'bare SDK server 2025-11-25',
  filesystem: 'filesystem server over a pipe, 2025-11-25',
} as const
type Name = keyof typeof names

/** What stands beside what: the same era of the protocol, where there is one. */
const pairs: readonly (readonly [Name, Name])[] = [
  ['modern', 'bare'],
  ['legacy', 'bare'],
  ['modern', 'sdkModern'],
  ['legacy', 'sdkLegacy'],
  ['legacy', 'filesystem'],
]

/**
 * `read_file` of a 4 kB file, in both eras: against a bare route with the same NATS round trip to the same worker, against a
 * bare server of the SDK that reads the file itself, and against the official filesystem server, which has a pipe instead
 * of HTTP. Without the last one installed its rows are left out, and the log says so.
 */
export const measureReadFile: Figure = async ({ quick, signal, log }) => {
  const program = findFilesystemServer()
  if (program === null) {
    log('read-file: the filesystem server is not installed (npm run bench:peer does): its rows are left out')
  }
  const world = await startBenchStack({ signal })
  const client = createKeepAliveClient(CONNECTIONS)
  const stops: (() => Promise<unknown>)[] = []
  const started = <Server extends { stop(): Promise<unknown> }>(server: Server): Server => {
    stops.push(server.stop)
    return server
  }
  try {
    const { root } = world.repository
    const bare = started(await startBareRoute(world, signal))
    const sdk = createToolCalls(client, started(await startSdkServer(root, signal)).endpoint)
    const filesystem = program === null ? null : started(await startFilesystemServer(program, root))
    const tools = createToolCalls(client, world.stack)
    const args = { path: SAMPLE_PATH }
    const contenders: Record<string, Call> = {
      bare: bare.timed(client, 'read_file', args),
      modern: tools.timed('read_file', () => args, '2026-07-28'),
      legacy: tools.timed('read_file', () => args, '2025-11-25'),
      sdkModern: sdk.timed('read_file', () => args, '2026-07-28'),
      sdkLegacy: sdk.timed('read_file', () => args, '2025-11-25'),
      ...(filesystem === null ? {} : { filesystem: filesystem.timed(SAMPLE_PATH) }),
    }
    const latencyPlan = quick
      ? { warmUp: 300, rounds: 6, callsPerRound: 100 }
      : { warmUp: 2000, rounds: 24, callsPerRound: 200 }
    const times = await timeInterleaved(contenders, latencyPlan, signal)
    const throughputPlan = { rounds: quick ? 6 : 12, callsPerRound: quick ? 250 : 600, connections: CONNECTIONS }
    const rates = await countInterleaved(contenders, throughputPlan, signal)
    return toRows({ times, rates })
  } finally {
    client.close()
    for (const stop of stops) await stop()
    await world.stop()
  }
}

/** By contender, as far as it took part, and by round. */
interface Results {
  readonly times: Readonly<Record<string, number[][]>>
  readonly rates: Readonly<Record<string, number[]>>
}

function toRows(results: Results): Row[] {
  const measured = (Object.keys(names) as Name[]).filter((name) => results.times[name] !== undefined)
  const alone = measured.filter((name) => !pairs.some(([one]) => one === name))
  return [
    ...alone.flatMap((name) => figuresOf(results, name).map((figure) => toRow(figure))),
    ...pairs.filter(([, other]) => measured.includes(other)).flatMap((pair) => compare(results, pair)),
  ]
}

interface NamedFigure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** What a ratio is made of: one value per round, or one of the whole run where a round holds too few calls. */
  readonly samples: readonly number[]
}

/** p10, p50, p99 and calls per second. */
function figuresOf({ times, rates }: Results, contender: Name): NamedFigure[] {
  const rounds = times[contender] ?? []
  const latency = (share: number): NamedFigure => {
    const value = percentile(rounds.flat(), share)
    const samples = share <= 0.5 ? rounds.map((round) => percentile(round, share)) : [value]
    return { name: `${names[contender]}, p${share * 100}`, value, unit: 'ms', samples }
  }
  const rate = rates[contender] ?? []
  const atOnce = contender === 'filesystem' ? `${CONNECTIONS} calls at once` : `${CONNECTIONS} connections`
  return [
    latency(0.1),
    latency(0.5),
    latency(0.99),
    { name: `${names[contender]}, ${atOnce}`, value: median(rate), unit: 'calls/s', samples: rate },
  ]
}

function compare(results: Results, [one, other]: readonly [Name, Name]): Row[] {
  const others = figuresOf(results, other)
  return figuresOf(results, one).map(({ name, value, unit, samples }, index) => {
    const against = others[index]
    if (against === undefined) throw new Error(`"${name}" has nothing to be compared with`)
    const isGoal = one === 'modern' && other === 'bare' && name.endsWith('p50')
    return toRow({
      name,
      value,
      unit,
      comparedWith: { name: against.name, ratio: medianRatio(samples, against.samples) },
      ...(isGoal ? { target: { of: 'ratio', max: P50_RATIO_MAX } as const } : {}),
    })
  })
}
