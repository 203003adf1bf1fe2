import { AppError } from '#shared/errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Registry } from '../ports/registry.ts'
import type { Sql } from '../ports/sql.ts'
import { createAgentStore } from './agents.ts'
import { createJobAgentStore } from './job-agents.ts'
import { createJobStore } from './jobs.ts'
import { migrate } from './migrations.ts'

/** The registry over SQL. Migrates the database first; throws `unavailable` where that cannot be done. */
export function createSqlRegistry(sql: Sql, clock: Clock, log: Log): Registry {
  migrate(sql)
  const agents = createAgentStore(sql, clock, log)
  const jobAgents = createJobAgentStore(sql, clock, agents.getAgent)
  const jobs = createJobStore(sql, clock, log)
  return {
    createAgent: guarded(agents.createAgent),
    getAgent: guarded(agents.getAgent),
    listAgents: guarded(agents.listAgents),
    countAgents: guarded(agents.countAgents),
    updateAgent: guarded(agents.updateAgent),
    deleteAgent: guarded(agents.deleteAgent),
    findOwners: guarded(agents.findOwners),
    listOwners: guarded(agents.listOwners),
    takeAgent: guarded(jobAgents.takeAgent),
    releaseAgent: guarded(jobAgents.releaseAgent),
    listMessages: guarded(agents.listMessages),
    getUsage: guarded(agents.getUsage),
    createJob: guarded(jobs.createJob),
    withdrawJob: guarded(jobs.withdrawJob),
    getJob: guarded(jobs.getJob),
    listJobs: guarded(jobs.listJobs),
    countJobs: guarded(jobs.countJobs),
    claimJob: guarded(jobs.claimJob),
    finishJob: guarded(jobs.finishJob),
    findOver: guarded(jobs.findOver),
    cancelJob: guarded(jobs.cancelJob),
    cancelCall: guarded(jobs.cancelCall),
    listStale: guarded(jobs.listStale),
    markPublished: guarded(jobs.markPublished),
    expireJobs: guarded(jobs.expireJobs),
    pruneJobs: guarded(jobs.pruneJobs),
    async ping() {
      try {
        return sql.all('SELECT 1 AS one').length === 1
      } catch {
        return false
      }
    },
  }
}

/** A failing store is `unavailable`, with the cause kept for the log. */
function guarded<Values extends unknown[], Result>(
  method: (...values: Values) => Promise<Result>,
): (...values: Values) => Promise<Result> {
  return async (...values) => {
    try {
      return await method(...values)
    } catch (cause) {
      if (cause instanceof AppError) throw cause
      throw new AppError('unavailable', 'Cannot use the registry: its store failed', {
        cause,
        hint: 'Try again; if it stays so, the operator finds the cause in the log',
      })
    }
  }
}
