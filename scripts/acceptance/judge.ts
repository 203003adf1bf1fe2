import type { Issue } from './report-form.ts'

// The user's success criteria, each with what was measured for it.

export const LIMITS = {
  averageResponseMs: 1000,
  agents: 100,
  memoryMiB: 4096,
  coveragePercentage: 80,
  mediumIssues: 5,
} as const

/** How the cases of one thing went that must work. */
export interface Outcome {
  readonly passed: number
  readonly failed: number
  /** Of those that failed: the blocking ones. */
  readonly blocking: number
  readonly skipped: number
}

export interface Evidence {
  /** What must work, by name: core tools, agents, files, git, the page, validations, refusals. */
  readonly functions: ReadonlyMap<string, Outcome>
  /** Null where no call was made. */
  readonly averageResponseMs: number | null
  /** Agents that were registered and listed at the same time. */
  readonly agents: number
  readonly memoryMiB: number | null
  /** Of 100. */
  readonly coveragePercentage: number
  readonly issues: readonly Pick<Issue, 'severity'>[]
  /** Null without a GPU: then there is nothing to judge. */
  readonly gpuMemoryMiB: number | null
}

export interface Criterion {
  readonly name: string
  /** Null where this machine has nothing to judge it by. */
  readonly holds: boolean | null
  /** What was measured, and the limit. */
  readonly says: string
}

/** Judges each criterion by itself. What was not run does not hold. */
export function judge(evidence: Evidence): Criterion[] {
  const { averageResponseMs, agents, memoryMiB, coveragePercentage, issues, gpuMemoryMiB } = evidence
  const blocking = issues.filter(({ severity }) => severity === 'HIGH').length
  const medium = issues.filter(({ severity }) => severity === 'MEDIUM').length
  return [
    ...[...evidence.functions].map(([name, outcome]) => toFunction(name, outcome)),
    {
      name: 'Average response time',
      holds: averageResponseMs !== null && averageResponseMs < LIMITS.averageResponseMs,
      says:
        averageResponseMs === null
          ? 'no call was made'
          : `${Math.round(averageResponseMs)} ms, limit ${LIMITS.averageResponseMs} ms`,
    },
    { name: 'Agents', holds: agents >= LIMITS.agents, says: `${agents} at once, at least ${LIMITS.agents}` },
    {
      name: 'GPU used for the model',
      holds: gpuMemoryMiB === null ? null : gpuMemoryMiB > 0,
      says:
        gpuMemoryMiB === null
          ? 'this machine has no GPU that the worker can use'
          : `${Math.round(gpuMemoryMiB)} MB in use`,
    },
    {
      name: 'Memory',
      holds: memoryMiB !== null && memoryMiB < LIMITS.memoryMiB,
      says:
        memoryMiB === null
          ? 'not measured: this system does not tell the memory of processes as Linux does'
          : `${Math.round(memoryMiB)} MB in all processes at the peak, limit ${LIMITS.memoryMiB} MB`,
    },
    { name: 'Blocking issues', holds: blocking === 0, says: `${blocking}` },
    {
      name: 'Medium issues',
      holds: medium < LIMITS.mediumIssues,
      says: `${medium}, fewer than ${LIMITS.mediumIssues}`,
    },
    {
      name: 'Tool coverage',
      holds: coveragePercentage > LIMITS.coveragePercentage,
      says: `${coveragePercentage}%, more than ${LIMITS.coveragePercentage}%`,
    },
  ]
}

/** Whether nothing that could be judged fails. */
export const isAccepted = (criteria: readonly Criterion[]): boolean => criteria.every(({ holds }) => holds !== false)

/** What fails without blocking counts as an issue, and there may be a few of those. */
function toFunction(name: string, { passed, failed, blocking, skipped }: Outcome): Criterion {
  return {
    name,
    holds: blocking === 0 && passed > 0,
    says: `${passed} cases passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  }
}
