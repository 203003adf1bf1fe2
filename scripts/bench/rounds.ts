import { performance } from 'node:perf_hooks'

/** One call of what is measured. Rejects where it did not do what it should: a failed call is never timed as a fast one. */
export type Call = () => Promise<unknown>

export interface LatencyPlan {
  /** Calls of each contender beforehand, which are not timed. */
  readonly warmUp: number
  readonly rounds: number
  readonly callsPerRound: number
}

export interface ThroughputPlan {
  readonly rounds: number
  readonly callsPerRound: number
  /** Calls under way at once. */
  readonly connections: number
}

/**
 * Times calls one after the other. Every round has all contenders, in another order each time, so that noise and drift
 * of the machine meet them alike. Answers milliseconds, by contender and round.
 */
export async function timeInterleaved<Name extends string>(
  contenders: Readonly<Record<Name, Call>>,
  { warmUp, rounds, callsPerRound }: LatencyPlan,
  signal?: AbortSignal,
): Promise<Record<Name, number[][]>> {
  const names = Object.keys(contenders) as Name[]
  for (const name of names) for (let index = 0; index < warmUp; index++) await contenders[name]()
  return interleave(names, rounds, signal, async (name) => {
    const times: number[] = []
    for (let index = 0; index < callsPerRound; index++) {
      const begun = performance.now()
      await contenders[name]()
      times.push(performance.now() - begun)
    }
    return times
  })
}

/** Calls per second with `connections` calls under way, by contender and round; interleaved as `timeInterleaved` is. */
export async function countInterleaved<Name extends string>(
  contenders: Readonly<Record<Name, Call>>,
  { rounds, callsPerRound, connections }: ThroughputPlan,
  signal?: AbortSignal,
): Promise<Record<Name, number[]>> {
  return interleave(Object.keys(contenders) as Name[], rounds, signal, async (name) => {
    let left = callsPerRound
    const begun = performance.now()
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (left-- > 0) await contenders[name]()
      }),
    )
    return callsPerRound / ((performance.now() - begun) / 1000)
  })
}

/** Measures each contender once per round, in another order each time. Answers by contender and round. */
export async function interleave<Name extends string, Result>(
  names: readonly Name[],
  rounds: number,
  signal: AbortSignal | undefined,
  measure: (name: Name) => Promise<Result>,
): Promise<Record<Name, Result[]>> {
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Result[]>
  for (let round = 0; round < rounds; round++) {
    for (const name of orderOf(names, round)) {
      signal?.throwIfAborted()
      results[name].push(await measure(name))
    }
  }
  return results
}

/**
 * Forwards, then backwards, then the same beginning with the next: in twice as many rounds as there are contenders each
 * has had every place, and no one always follows the same other, whose work it finds in the caches.
 */
function orderOf<Name>(names: readonly Name[], round: number): Name[] {
  const first = Math.floor(round / 2) % names.length
  const order = [...names.slice(first), ...names.slice(0, first)]
  return round % 2 === 0 ? order : order.reverse()
}
