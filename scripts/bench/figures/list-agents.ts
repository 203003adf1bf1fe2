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

/** Both have more agents than a page of resources holds. */
const resourceCounts = [1000, 10_000] as const

/**
 * The first default page of `list_agents` by how many agents are registered, a stack for each count; and the first page of
 * `resources/list`, which has 200 agents with their files.
 */
export const measureListAgents: Figure = async ({ quick, signal }) => {
  const worlds: BenchStack[] = []
  const client = createKeepAliveClient(1)
  try {
    const contenders: Record<string, Call> = {}
    for (const agents of counts) {
      const world = await startBenchStack({ agents, signal })
      worlds.push(world)
      const calls = createToolCalls(client, world.stack)
      contenders[nameOf(agents)] = calls.timed('list_agents', () => ({}))
      if (agents >= resourceCounts[0]) contenders[resourcesNameOf(agents)] = calls.timedResourceList
    }
    const plan = quick ? { warmUp: 50, rounds: 4, callsPerRound: 25 } : { warmUp: 300, rounds: 16, callsPerRound: 50 }
    const times = await timeInterleaved(contenders, plan, signal)
    const base = times[nameOf(FULL_PAGE)]?.map(median) ?? []
    const lists = counts.map((agents) => {
      const rounds = times[nameOf(agents)]?.map(median) ?? []
      const name = nameOf(agents)
      const value = median((times[name] ?? []).flat())
      if (agents === FULL_PAGE) return toRow({ name, value, unit: 'ms' })
      const comparedWith = { name: nameOf(FULL_PAGE), ratio: medianRatio(rounds, base) }
      return toRow({ name, value, unit: 'ms', comparedWith })
    })
    const [fewer, most] = resourceCounts.map((agents) => times[resourcesNameOf(agents)] ?? [])
    const value = median((most ?? []).flat())
    const ratio = medianRatio((most ?? []).map(median), (fewer ?? []).map(median))
    const comparedWith = { name: resourcesNameOf(resourceCounts[0]), ratio }
    return [...lists, toRow({ name: resourcesNameOf(resourceCounts[1]), value, unit: 'ms', comparedWith })]
  } finally {
    client.close()
    await Promise.all(worlds.map((world) => world.stop()))
  }
}

const nameOf = (agents: number): string => `list_agents, ${agents} agents, p50`
const resourcesNameOf = (agents: number): string => `resources/list, ${agents} agents, p50`
