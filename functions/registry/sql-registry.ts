import { guarded as guardedStore } from '../guarded-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { RegistryStore } from '../ports/registry.ts'
import type { Sql } from '../ports/sql.ts'
import { createAgentStore } from './agents.ts'
import { createJobAgentStore } from './job-agents.ts'
import { createJobStore } from './jobs.ts'
import { migrate } from './migrations.ts'

const guarded = <Values extends unknown[], Result>(method: (...values: Values) => Promise<Result>) =>
  guardedStore('the registry', method)

/** The registry over SQL. Migrates the database first; throws `unavailable` where that cannot be done. */
export function createSqlRegistry(sql: Sql, clock: Clock, log: Log): RegistryStore {
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
    findClaimant: guarded(jobs.findClaimant),
    finishJob: guarded(jobs.finishJob),
    findOver: guarded(jobs.findOver),
    cancelJob: guarded(jobs.cancelJob),
    cancelCall: guarded(jobs.cancelCall),
    listStale: guarded(jobs.listStale),
    markPublished: guarded(jobs.markPublished),
    expireJobs: guarded(jobs.expireJobs),
    pruneJobs: guarded(jobs.pruneJobs),
    hasLiveJobs: guarded(jobs.hasLiveJobs),
    async ping() {
      try {
        return sql.all('SELECT 1 AS one').length === 1
      } catch {
        return false
      }
    },
  }
}
