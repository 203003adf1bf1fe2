import { AppError } from '#shared/errors.ts'
import { ITERATIONS_DEFAULT, MINUTES_DEFAULT } from '#shared/tools/orchestrate.ts'
import { createImproveStep } from '../orchestration/improve-step.ts'
import { orchestrate } from '../orchestration/orchestrate.ts'
import type { RunPorts } from '../orchestration/run.ts'
import type { JobAgents } from '../ports/job-agents.ts'
import type { RunJournal } from '../ports/run-journal.ts'
import type { WriteJournal } from '../ports/write-journal.ts'
import { KeyedLocks } from '../workspace/locks.ts'
import type { JobHandlers } from './handler.ts'
import { type ImprovementToolPorts, toImprovementPorts } from './improvement.ts'

export interface OrchestrateToolPorts extends ImprovementToolPorts {
  readonly journal: WriteJournal & RunJournal
  readonly agents: JobAgents
  /** As in RunPorts. */
  readonly stepsAtOnce: number
}

/** A job that took the worker down this often before it had a plan would do so again. */
const PLAN_CLAIMS_MAX = 5
const RETRY_AFTER_MS = 60_000
const ONE = 'run'

/**
 * One run at a time: two would improve the same files. One that comes while another is at work is `busy`; one that was
 * interrupted waits its turn.
 */
export function createOrchestrateTool(toolPorts: OrchestrateToolPorts): JobHandlers<'orchestrate_improvement'> {
  const improvementPorts = toImprovementPorts(toolPorts)
  const { agents, journal, stepsAtOnce } = toolPorts
  const ports: RunPorts = {
    ...improvementPorts,
    ...{ agents, journal, stepsAtOnce, now: Date.now },
    improve: createImproveStep(improvementPorts),
  }
  const turns = new KeyedLocks()
  return {
    async orchestrate_improvement({ goal, paths, budget, keep_agents, commit }, { jobId, fence, signal, onProgress }) {
      const hasPlan = ports.journal.findRun(jobId) !== undefined
      if (!hasPlan && turns.size > 0) {
        throw new AppError('busy', 'Cannot begin: another job is improving this repository', {
          hint: 'Ask list_jobs for it; call again when it has ended, or cancel it',
          details: { retry_after_ms: RETRY_AFTER_MS },
        })
      }
      if (!hasPlan && fence > PLAN_CLAIMS_MAX) {
        throw new AppError('internal', `Cannot plan: the worker stopped ${PLAN_CLAIMS_MAX} times while it did`, {
          hint: "See the worker's log, then try with fewer paths",
        })
      }
      const request = {
        job: { jobId, fence },
        goal: goal === undefined || goal.trim() === '' ? null : goal,
        paths: paths === undefined || paths.length === 0 ? null : paths,
        budget: {
          iterations: budget?.iterations ?? ITERATIONS_DEFAULT,
          minutes: budget?.minutes ?? MINUTES_DEFAULT,
          tokens: budget?.tokens ?? null,
        },
        keepAgents: keep_agents ?? false,
        commit: commit ?? false,
      }
      let began = false
      const begin = () => {
        began = true
        return orchestrate(request, ports, { signal, onProgress })
      }
      try {
        return await turns.run(ONE, begin, signal)
      } catch (error) {
        if (began || !signal.aborted) throw error
        // Stopped before its turn came: it does nothing, but says how far it had got before.
        return await begin()
      }
    },
  }
}
