import * as v from 'valibot'
import { AppError, type WireError } from '#shared/errors.ts'
import { type AgentId, JobId, WorkspaceId } from '#shared/ids.ts'
import type { ClaimJobReply } from '#shared/protocol/envelope.ts'
import { PAGE_MAX } from '#shared/protocol/limits.ts'
import { WIRE_VERSION } from '#shared/protocol/subjects.ts'
import { type Agent, type EarlierTask, toActingAgent } from '#shared/schemas/agent.ts'
import { isFinal, type JobOutcome, JobState } from '#shared/schemas/job.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { CancelledJob, JobRecord, RegistryStore } from '../ports/registry.ts'
import type { Sql, SqlRow } from '../ports/sql.ts'
import { agentNotFound } from './agents.ts'
import { fromCursor, toCursor } from './cursor.ts'
import { EarlyCancels } from './early-cancels.ts'
import { toHistory } from './history.ts'
import { damaged, NO_AGENT, parseAgent, parseJob } from './rows.ts'
import { addUsage } from './usage-total.ts'

type JobMethods = Pick<
  RegistryStore,
  | 'createJob'
  | 'withdrawJob'
  | 'getJob'
  | 'listJobs'
  | 'countJobs'
  | 'claimJob'
  | 'findClaimant'
  | 'finishJob'
  | 'findOver'
  | 'cancelJob'
  | 'cancelCall'
  | 'listStale'
  | 'markPublished'
  | 'expireJobs'
  | 'pruneJobs'
  | 'hasLiveJobs'
>

/** Ended jobs that a workspace keeps: weeks of history; with long diffs some hundred megabytes. */
const JOBS_KEPT_MAX = 10_000
/** Turns of one agent that are kept: what one call can show. */
const MESSAGES_KEPT_MAX = PAGE_MAX

const publicColumns =
  'job_id, tool, agent_id, state, cancel_requested, created_at, started_at, finished_at, error, args, result'
// A list shows neither arguments nor results nor what lies beside a refusal (its diff, the reply); all can be large.
const listColumns = publicColumns
  .replace('args, result', `'{}' AS args, NULL AS result`)
  .replace(' error,', ` CASE WHEN json_valid(error) THEN json_remove(error, '$.details') ELSE error END AS error,`)

/**
 * Jobs of one agent run one after the other, in the order in which they were given: each finds the file as the one before
 * left it. Questions do not change it, and neither wait nor are waited for. Reads `waiting`, the job that asks. The plus
 * keeps SQLite from the index by agent: jobs that are not over are few, and an agent may have thousands that are.
 */
const aheadOf = `SELECT 1 FROM jobs AS ahead
  WHERE ahead.workspace = waiting.workspace AND ahead.state IN ('queued', 'running')
    AND +ahead.agent_id = waiting.agent_id AND waiting.agent_id <> '${NO_AGENT}' AND ahead.job_id <> waiting.job_id
    AND (ahead.state = 'running' OR (ahead.state = 'queued' AND ahead.job_id < waiting.job_id))
    AND NOT ${isQuestion('ahead.args')} AND NOT ${isQuestion('waiting.args')}`

/** A row whose arguments are damaged is none: it is refused when its turn comes. */
function isQuestion(args: string): string {
  return `coalesce(CASE WHEN json_valid(${args}) THEN json_extract(${args}, '$.mode') END, 'edit') = 'ask'`
}

const settled: ClaimJobReply = { v: WIRE_VERSION, claim: 'settled' }

/** Jobs: one state machine, `queued -> running -> succeeded | failed | cancelled`, guarded by the fence. */
export function createJobStore(sql: Sql, clock: Clock, log: Log): JobMethods {
  const earlyCancels = new EarlyCancels(clock)

  function findRow(workspace: WorkspaceId, job: JobId): SqlRow | undefined {
    return sql.all('SELECT * FROM jobs WHERE workspace = ? AND job_id = ?', workspace, job)[0]
  }

  function toRecord(workspace: WorkspaceId, job: string, row: SqlRow): JobRecord {
    const record = parseJob(row)
    if (record !== null) return record
    const error = damaged('job', job)
    log.error('A stored job cannot be read', error, { workspace, job_id: job })
    throw error
  }

  function get(workspace: WorkspaceId, job: JobId): JobRecord {
    const row = findRow(workspace, job)
    if (row === undefined) {
      throw new AppError('not_found', `Cannot find job "${job}": there is none`, { hint: 'Ask list_jobs for the jobs' })
    }
    return toRecord(workspace, job, row)
  }

  /** Ends a job from this side: no worker's outcome is accepted afterwards. */
  function end(workspace: WorkspaceId, job: JobId, state: 'failed' | 'cancelled', error: WireError): void {
    sql.run(
      'UPDATE jobs SET state = ?, error = ?, finished_at = ? WHERE workspace = ? AND job_id = ?',
      state,
      JSON.stringify(error),
      clock.now(),
      workspace,
      job,
    )
  }

  function cancel(workspace: WorkspaceId, job: JobId): CancelledJob {
    const before = get(workspace, job)
    if (before.job.state === 'queued') {
      end(workspace, job, 'cancelled', { code: 'cancelled', message: 'Cancelled before it started' })
    }
    if (!isFinal(before.job.state)) {
      sql.run('UPDATE jobs SET cancel_requested = 1 WHERE workspace = ? AND job_id = ?', workspace, job)
    }
    const { job: after, cancel_requested } = get(workspace, job)
    return { job_id: job, state: after.state, cancel_requested }
  }

  /** The agent of a job's row; null where the job is of none. */
  function findAgent(workspace: WorkspaceId, row: SqlRow): Agent | null | 'gone' | 'damaged' {
    if (row.agent_id === NO_AGENT) return null
    const [found] = sql.all(
      'SELECT *, 0 AS working FROM agents WHERE workspace = ? AND agent_id = ?',
      workspace,
      row.agent_id ?? null,
    )
    if (found === undefined) return 'gone'
    const agent = parseAgent(found)
    if (agent !== null) return agent
    const error = damaged('agent', String(row.agent_id))
    log.error('A stored agent cannot be read', error, { workspace, agent_id: row.agent_id })
    return 'damaged'
  }

  function countAhead(workspace: WorkspaceId, job: JobId): number {
    const [row] = sql.all(
      `SELECT (SELECT count(*) FROM (${aheadOf})) AS ahead FROM jobs AS waiting WHERE workspace = ? AND job_id = ?`,
      workspace,
      job,
    )
    return Number(row?.ahead ?? 0)
  }

  function addMessage(workspace: WorkspaceId, row: SqlRow, role: 'user' | 'agent', text: string): void {
    sql.run(
      'INSERT INTO messages (workspace, agent_id, role, job_id, created_at, text) VALUES (?, ?, ?, ?, ?, ?)',
      workspace,
      row.agent_id ?? null,
      role,
      row.job_id ?? null,
      clock.now(),
      text,
    )
  }

  /** What was asked and what came of it. A cancelled job leaves no trace in the conversation. */
  function converse(workspace: WorkspaceId, row: SqlRow, outcome: JobOutcome): void {
    if (outcome.state === 'cancelled' || row.agent_id === NO_AGENT) return
    const args = parseJob(row)?.args ?? {}
    if (typeof args.message !== 'string') return
    const answer =
      outcome.state === 'succeeded' ? outcome.result.reply : `${outcome.error.code}: ${outcome.error.message}`
    addMessage(workspace, row, 'user', args.message)
    addMessage(workspace, row, 'agent', typeof answer === 'string' ? answer : '')
    sql.run(
      `DELETE FROM messages WHERE workspace = ? AND agent_id = ? AND message_id <= (
         SELECT message_id FROM messages WHERE workspace = ? AND agent_id = ?
         ORDER BY message_id DESC LIMIT 1 OFFSET ?)`,
      workspace,
      row.agent_id ?? null,
      workspace,
      row.agent_id ?? null,
      MESSAGES_KEPT_MAX,
    )
  }

  function historyOf(workspace: WorkspaceId, agent: AgentId): EarlierTask[] {
    const rows = sql.all(
      `SELECT role, text, job_id FROM messages WHERE workspace = ? AND agent_id = ? ORDER BY message_id DESC LIMIT ?`,
      workspace,
      agent,
      MESSAGES_KEPT_MAX,
    )
    return toHistory(rows)
  }

  return {
    async createJob(workspace, job) {
      return sql.transaction(() => {
        if (job.idempotency_key !== null) {
          const [before] = sql.all(
            'SELECT * FROM jobs WHERE workspace = ? AND subject = ? AND idempotency_key = ?',
            workspace,
            job.caller.subject,
            job.idempotency_key,
          )
          if (before !== undefined) {
            if (before.params_hash !== job.params_hash) {
              throw new AppError(
                'conflict',
                'Cannot start the job: its idempotency_key was used with other arguments',
                {
                  hint: 'Use a new idempotency_key for another task',
                },
              )
            }
            return { record: toRecord(workspace, String(before.job_id), before), created: false }
          }
        }
        if (job.agent_id !== null) {
          const [agent] = sql.all(
            'SELECT 1 AS found FROM agents WHERE workspace = ? AND agent_id = ?',
            workspace,
            job.agent_id,
          )
          if (agent === undefined) throw agentNotFound(job.agent_id)
        }
        if (job.accepts !== null) {
          const [accepted] = sql.all(
            `SELECT job_id FROM jobs WHERE workspace = ? AND accepts = ? AND state IN ('queued', 'running', 'succeeded')`,
            workspace,
            job.accepts,
          )
          if (accepted !== undefined) {
            throw new AppError('conflict', `Cannot accept "${job.accepts}": job "${accepted.job_id}" has accepted it`, {
              hint: `Ask get_job for "${accepted.job_id}"`,
            })
          }
        }
        const now = clock.now()
        sql.run(
          `INSERT INTO jobs (workspace, job_id, subject, tool, agent_id, state, params_hash, idempotency_key, call_key,
             accepts, deadline, created_at, published_at, args) VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?)`,
          workspace,
          job.job_id,
          job.caller.subject,
          job.tool,
          job.agent_id ?? NO_AGENT,
          job.params_hash,
          job.idempotency_key,
          job.call_key,
          job.accepts,
          job.deadline,
          now,
          now,
          JSON.stringify(job.args),
        )
        if (job.call_key !== null && earlyCancels.take(workspace, job.call_key)) cancel(workspace, job.job_id)
        return { record: get(workspace, job.job_id), created: true }
      })
    },

    async withdrawJob(workspace, job) {
      return (
        sql.run(
          `DELETE FROM jobs WHERE workspace = ? AND job_id = ? AND state = 'queued' AND fence = 0`,
          workspace,
          job,
        ) > 0
      )
    },

    async getJob(workspace, job) {
      return get(workspace, job)
    },

    async listJobs(workspace, { state, agent, cursor, limit }) {
      const filters = ['workspace = ?']
      const values: string[] = [workspace]
      if (state !== null) {
        filters.push('state = ?')
        values.push(state)
      }
      if (agent !== null) {
        filters.push('agent_id = ?')
        values.push(agent)
      }
      if (cursor !== null) {
        filters.push('job_id < ?')
        values.push(fromCursor('jobs', JobId, cursor))
      }
      const rows = sql.all(
        `SELECT ${listColumns} FROM jobs WHERE ${filters.join(' AND ')} ORDER BY job_id DESC LIMIT ?`,
        ...values,
        limit + 1,
      )
      const page = rows.slice(0, limit)
      const items = page.map(parseJob).filter((record) => record !== null)
      if (items.length < page.length) {
        log.error('Stored jobs cannot be read', new Error(`${page.length - items.length} rows`), { workspace })
      }
      const last = page.at(-1)?.job_id
      return {
        items: items.map((record) => record.job),
        next_cursor: rows.length > limit && typeof last === 'string' ? toCursor('jobs', last) : null,
      }
    },

    async countJobs(workspace) {
      const rows = sql.all(
        `SELECT state, count(*) AS jobs FROM jobs WHERE workspace = ? AND state IN ('queued', 'running') GROUP BY state`,
        workspace,
      )
      const count = (state: JobState) => Number(rows.find((row) => row.state === state)?.jobs ?? 0)
      return { queued: count('queued'), running: count('running') }
    },

    async claimJob(workspace, job, workerId) {
      return sql.transaction(() => {
        const row = findRow(workspace, job)
        if (row === undefined || isFinal(v.parse(JobState, row.state))) return settled
        const refuse = (code: WireError['code'], message: string): ClaimJobReply => {
          end(workspace, job, 'failed', { code, message })
          return settled
        }
        const record = parseJob(row)
        if (record === null) return refuse('unavailable', 'Cannot run the job: its registry record is damaged')
        const deadline = Number(row.deadline)
        // Once begun, only the worker knows whether it wrote before it was cut off: it looks, and minds the deadline itself.
        if (clock.now() >= deadline && row.state === 'queued')
          return refuse('timeout', 'Cannot run the job: its deadline passed while it waited')
        const agent = findAgent(workspace, row)
        if (agent === 'gone') return refuse('not_found', `Cannot run the job: agent "${row.agent_id}" is gone`)
        if (agent === 'damaged') return refuse('unavailable', damaged('agent', String(row.agent_id)).message)
        if (row.state === 'queued') {
          const ahead = countAhead(workspace, job)
          if (ahead > 0) return { v: WIRE_VERSION, claim: 'wait', ahead }
        }
        const now = clock.now()
        const fence = Number(row.fence) + 1
        sql.run(
          `UPDATE jobs SET state = 'running', fence = ?, worker_id = ?, started_at = coalesce(started_at, ?)
             WHERE workspace = ? AND job_id = ?`,
          fence,
          workerId,
          now,
          workspace,
          job,
        )
        return {
          v: WIRE_VERSION,
          claim: 'run',
          fence,
          tool: record.job.tool,
          args: record.args,
          agent: agent === null ? null : toActingAgent(agent),
          caller: { subject: String(row.subject) },
          deadline,
          cancel_requested: record.cancel_requested,
          history: agent === null ? [] : historyOf(workspace, agent.agent_id),
        }
      })
    },

    async findClaimant(workspace, job, fence) {
      const [row] = sql.all(
        'SELECT worker_id FROM jobs WHERE workspace = ? AND job_id = ? AND fence = ?',
        workspace,
        job,
        fence,
      )
      return typeof row?.worker_id === 'string' ? row.worker_id : null
    },

    async finishJob(workspace, job, fence, outcome) {
      return sql.transaction(() => {
        const row = findRow(workspace, job)
        if (row === undefined) return false
        if (row.state !== 'running') return row.finished_fence !== null && row.finished_fence === fence
        if (row.fence !== fence) return false
        sql.run(
          `UPDATE jobs SET state = ?, result = ?, error = ?, finished_at = ?, finished_fence = ?
             WHERE workspace = ? AND job_id = ?`,
          outcome.state,
          outcome.state === 'succeeded' ? JSON.stringify(outcome.result) : null,
          outcome.state === 'succeeded' ? null : JSON.stringify(outcome.error),
          clock.now(),
          fence,
          workspace,
          job,
        )
        converse(workspace, row, outcome)
        if (row.agent_id !== NO_AGENT) addUsage(sql, workspace, String(row.agent_id), outcome)
        return true
      })
    },

    async findOver(workspace, jobs) {
      return jobs
        .filter(({ job_id, fence }) => {
          const [row] = sql.all(
            'SELECT state, fence, cancel_requested FROM jobs WHERE workspace = ? AND job_id = ?',
            workspace,
            job_id,
          )
          // The deadline is the worker's to mind, until the sweep has failed the job for it.
          return row?.state !== 'running' || row.fence !== fence || row.cancel_requested === 1
        })
        .map(({ job_id }) => job_id)
    },

    async cancelJob(workspace, job) {
      return sql.transaction(() => cancel(workspace, job))
    },

    async cancelCall(workspace, callKey) {
      return sql.transaction(() => {
        const [row] = sql.all(
          `SELECT job_id FROM jobs WHERE workspace = ? AND call_key = ? AND state IN ('queued', 'running')`,
          workspace,
          callKey,
        )
        if (row !== undefined) return cancel(workspace, v.parse(JobId, row.job_id))
        earlyCancels.note(workspace, callKey)
        return null
      })
    },

    async listStale(publishedBefore, limit) {
      // The queue is first in, first out: a job that was published later and has been started overtook a lost one.
      const rows = sql.all(
        `SELECT workspace, job_id, publications FROM (
           SELECT workspace, job_id, publications, published_at,
             row_number() OVER (PARTITION BY workspace ORDER BY published_at) AS place
           FROM jobs AS waiting
           WHERE state = 'queued' AND published_at < ? AND NOT EXISTS (${aheadOf}) AND (
             NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.workspace = waiting.workspace AND jobs.state = 'running')
             OR EXISTS (SELECT 1 FROM jobs WHERE jobs.workspace = waiting.workspace
               AND jobs.job_id > waiting.job_id AND jobs.started_at IS NOT NULL
               AND jobs.published_at > waiting.published_at))
         ) WHERE place <= ? ORDER BY published_at`,
        publishedBefore,
        limit,
      )
      return rows.map((row) => ({
        workspace: v.parse(WorkspaceId, row.workspace),
        job_id: v.parse(JobId, row.job_id),
        attempts: Number(row.publications),
      }))
    },

    async markPublished(workspace, job) {
      sql.run(
        'UPDATE jobs SET publications = publications + 1, published_at = ? WHERE workspace = ? AND job_id = ?',
        clock.now(),
        workspace,
        job,
      )
    },

    async expireJobs(graceMs) {
      return sql.transaction(() => {
        const expired = sql
          .all(
            `SELECT workspace, job_id, state FROM jobs WHERE state IN ('queued', 'running') AND deadline < ?`,
            clock.now() - graceMs,
          )
          .map((row) => ({
            workspace: v.parse(WorkspaceId, row.workspace),
            job_id: v.parse(JobId, row.job_id),
            wasBegun: row.state === 'running',
          }))
        for (const { workspace, job_id, wasBegun } of expired) {
          end(workspace, job_id, 'failed', {
            code: 'timeout',
            message: 'Cannot finish the job: its deadline passed',
            hint: wasBegun
              ? 'No worker has said how it went: look with git_diff whether the file was written'
              : 'No worker took it: start one, then give the task again',
          })
        }
        return expired.map(({ workspace, job_id }) => ({ workspace, job_id }))
      })
    },

    async hasLiveJobs() {
      return sql.all(`SELECT 1 AS live FROM jobs WHERE state IN ('queued', 'running') LIMIT 1`).length > 0
    },

    async pruneJobs() {
      return sql.transaction(() => {
        let removed = 0
        for (const { workspace } of sql.all('SELECT DISTINCT workspace FROM jobs')) {
          removed += sql.run(
            `DELETE FROM jobs WHERE workspace = ? AND state NOT IN ('queued', 'running') AND job_id <= (
               SELECT job_id FROM jobs WHERE workspace = ? AND state NOT IN ('queued', 'running')
               ORDER BY job_id DESC LIMIT 1 OFFSET ?)`,
            workspace ?? null,
            workspace ?? null,
            JOBS_KEPT_MAX,
          )
        }
        return removed
      })
    },
  }
}
