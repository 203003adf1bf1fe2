import * as v from 'valibot'
import type { WorkspaceId } from '#shared/ids.ts'
import { type JobOutcome, Usage, type UsageTotal } from '#shared/schemas/job.ts'
import type { Sql } from '../ports/sql.ts'

const columns = [
  'jobs',
  'prompt_tokens',
  'cached_prompt_tokens',
  'completion_tokens',
  'queue_ms',
  'generating_ms',
] as const satisfies readonly (keyof UsageTotal)[]

/**
 * Adds what a job cost to what its agent has cost. Call in the transaction that ends the job, so that it is counted once,
 * however often its outcome is reported. An outcome that tells no usage (refused before the model was asked) adds nothing.
 */
export function addUsage(sql: Sql, workspace: WorkspaceId, agent: string, outcome: JobOutcome): void {
  const told = outcome.state === 'succeeded' ? outcome.result.usage : outcome.error.details?.usage
  const usage = v.safeParse(Usage, told)
  if (!usage.success) return
  const { prompt_tokens, cached_prompt_tokens, completion_tokens, queue_ms, tokens_per_second } = usage.output
  const speed = tokens_per_second ?? 0
  const cost: UsageTotal = {
    jobs: 1,
    prompt_tokens,
    cached_prompt_tokens,
    completion_tokens,
    queue_ms,
    generating_ms: speed > 0 ? (1000 * completion_tokens) / speed : 0,
  }
  sql.run(
    `INSERT INTO agent_usage (workspace, agent_id, ${columns.join(', ')}) VALUES (?, ?, ${columns.map(() => '?').join(', ')})
       ON CONFLICT (workspace, agent_id) DO UPDATE SET
         ${columns.map((column) => `${column} = ${column} + excluded.${column}`).join(', ')}`,
    workspace,
    agent,
    ...columns.map((column) => toCount(cost[column])),
  )
}

/** Zeros for an agent that has done nothing. */
export function readUsage(sql: Sql, workspace: WorkspaceId, agent: string): UsageTotal {
  const [row] = sql.all(
    `SELECT ${columns.join(', ')} FROM agent_usage WHERE workspace = ? AND agent_id = ?`,
    workspace,
    agent,
  )
  const count = (column: keyof UsageTotal) => Number(row?.[column] ?? 0)
  return {
    jobs: count('jobs'),
    prompt_tokens: count('prompt_tokens'),
    cached_prompt_tokens: count('cached_prompt_tokens'),
    completion_tokens: count('completion_tokens'),
    queue_ms: count('queue_ms'),
    generating_ms: count('generating_ms'),
  }
}

/** What a worker tells is a figure, and no reason to lose its outcome over. */
function toCount(figure: number): number {
  const count = Math.round(figure)
  return Number.isSafeInteger(count) && count > 0 ? count : 0
}
