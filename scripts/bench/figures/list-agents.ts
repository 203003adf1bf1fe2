import { type BenchStack, startBenchStack } from '../bench-stack.ts'
import type { Figure } from '../figure.ts'
import { createKeepAliveClient } from '../keep-alive-client.ts'
import { type Call, timeInterleaved } from '../rounds.ts'
import { toRow } from '../row.ts'
import { median, medianRatio } from '../statistics.ts'
import { createToolCalls } from '../tool-calls.ts'

const counts = [10, 100, 1000, 10_000] as const
/** The smallest registry that fills a default page: what grows from here on grows with the registry alone. */
const FULL_PAGE = 100

/** The first default page of `list_agents` by how many agents are registered, a stack for each count. */
export const measureListAgents: Figure = async ({ quick, signal }) => {
  const worlds: BenchStack[] = []
  const client = createKeepAliveClient(1)
  try {
    const contenders: Record<string, Call> = {}
    for (const agents of counts) {
      const world = await startBenchStack({ agents, signal })
      worlds.push(world)
      contenders[nameOf(agents)] = createToolCalls(client, world.stack).timed('list_agents', () => ({}))
    }
    const plan = quick ? { warmUp: 50, rounds: 4, callsPerRound: 25 } : { warmUp: 300, rounds: 16, callsPerRound: 50 }
    const times = await timeInterleaved(contenders, plan, signal)
    const base = times[nameOf(FULL_PAGE)]?.map(median) ?? []
    return counts.map((agents) => {
      const rounds = times[nameOf(agents)]?.map(median) ?? []
      const name = nameOf(agents)
      const value = median((times[name] ?? []).flat())
      if (agents === FULL_PAGE) return toRow({ name, value, unit: 'ms' })
      const comparedWith = { name: nameOf(FULL_PAGE), ratio: medianRatio(rounds, base) }
      return toRow({ name, value, unit: 'ms', comparedWith })
    })
  } finally {
    client.close()
    await Promise.all(worlds.map((world) => world.stop()))
  }
}

const nameOf = (agents: number): string => `list_agents, ${agents} agents, p50`
