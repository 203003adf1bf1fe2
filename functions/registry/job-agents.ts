import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { AgentId, type JobId, type WorkspaceId } from '#shared/ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Registry } from '../ports/registry.ts'
import { type Sql, SqlConstraintError } from '../ports/sql.ts'
import { insertAgent, removeAgent } from './agents.ts'

/** Agents that running jobs make for themselves. That they go with their job is a trigger's work: see `migrations.ts`. */
export function createJobAgentStore(
  sql: Sql,
  clock: Clock,
  getAgent: Registry['getAgent'],
): Pick<Registry, 'takeAgent' | 'releaseAgent'> {
  /** False for a worker that has lost the job to another, and once the job is over. */
  function runs(workspace: WorkspaceId, job: JobId, fence: number): boolean {
    const [row] = sql.all('SELECT state, fence FROM jobs WHERE workspace = ? AND job_id = ?', workspace, job)
    return row?.state === 'running' && row.fence === fence
  }

  return {
    async takeAgent(workspace, { job_id, fence, agent, keep }) {
      const taken = sql.transaction(() => {
        if (!runs(workspace, job_id, fence)) {
          throw new AppError('conflict', `Cannot take an agent for job "${job_id}": it does not run under this claim`)
        }
        const [owner] = sql.all(
          'SELECT agent_id, made_by_job FROM agents WHERE workspace = ? AND file_key = ?',
          workspace,
          agent.file_key,
        )
        if (owner !== undefined) return { agent: v.parse(AgentId, owner.agent_id), made: owner.made_by_job === job_id }
        try {
          insertAgent(sql, workspace, agent, { now: clock.now(), madeByJob: keep ? null : job_id })
        } catch (cause) {
          if (!(cause instanceof SqlConstraintError)) throw cause
          throw new AppError('already_exists', `Cannot create agent "${agent.agent_id}": it exists`)
        }
        return { agent: agent.agent_id, made: true }
      })
      return { agent: await getAgent(workspace, taken.agent), made: taken.made }
    },

    async releaseAgent(workspace, { job_id, fence, agent_id }) {
      return sql.transaction(() => {
        const [row] = sql.all(
          'SELECT made_by_job FROM agents WHERE workspace = ? AND id_key = ?',
          workspace,
          agent_id.toLowerCase(),
        )
        if (row?.made_by_job !== job_id || !runs(workspace, job_id, fence)) return null
        return removeAgent(sql, workspace, agent_id, clock.now())
      })
    },
  }
}
