import { nextStep } from './next-step.ts'
import type { Run } from './run.ts'
import { runStep } from './run-step.ts'

/**
 * Does the steps, those of independent files at the same time, until none is left, a bound of the budget is reached or the job
 * is stopped. Resolves when none is under way. Rejects as `runStep` does, once the others have been broken off.
 */
export async function runSteps(run: Run): Promise<void> {
  const { record, ports, options, steps } = run
  const msLeft = record.started_at + record.budget.minutes * 60_000 - ports.now()
  const minutesOver = msLeft > 0 ? AbortSignal.timeout(msLeft) : AbortSignal.abort()
  const broken = new AbortController()
  const signal = AbortSignal.any([options.signal, minutesOver, broken.signal])
  const pairs = new Set(record.neighbours.flatMap(([a, b]) => [`${a}\n${b}`, `${b}\n${a}`]))
  const areNeighbours = (a: string, b: string): boolean => pairs.has(`${a}\n${b}`)
  const running = new Map<string, Promise<void>>()

  const work = async (at: number): Promise<void> => {
    await runStep(run, at, signal)
    const writes = steps[at]?.writes
    const isLast = steps.every((step) => step.writes !== writes || step.state !== 'planned')
    if (isLast && !signal.aborted) await releaseAgent(run, at)
  }

  try {
    for (;;) {
      const mayBegin = !signal.aborted && run.endedBy === null && running.size < ports.stepsAtOnce
      const at = mayBegin ? nextStep(steps, new Set(running.keys()), areNeighbours) : null
      const path = at === null ? undefined : steps[at]?.path
      if (at !== null && path !== undefined) {
        running.set(
          path,
          work(at).finally(() => running.delete(path)),
        )
        continue
      }
      if (running.size === 0) break
      await Promise.race(running.values())
    }
  } finally {
    broken.abort()
    await Promise.allSettled(running.values())
  }
  if (minutesOver.aborted && steps.some(({ state }) => state === 'planned')) run.endedBy ??= 'minutes'
}

/** The file is free again for others. An agent that cannot be given back now goes with the job. */
async function releaseAgent({ ports, job, record, steps }: Run, at: number): Promise<void> {
  const step = steps[at]
  if (step === undefined || step.agent_id === null || !step.agent_made || record.keep_agents) return
  await ports.agents.release(job, step.agent_id).catch(() => undefined)
}
