import type { JobId, WorkspaceId } from '../ids.ts'

/** The wire's version. A message of another version is refused, never guessed at. */
export const WIRE_VERSION = 1

/** The work queue. One stream for all workspaces; the limit on waiting jobs holds per subject, so per workspace. */
export const JOBS_STREAM = 'MW_JOBS'

export const callFamilies = ['agents', 'agent_files', 'files', 'git', 'checks', 'improvement', 'system'] as const
export type CallFamily = (typeof callFamilies)[number]

export const registryOperations = ['claim_job', 'finish_job', 'find_owners'] as const
export type RegistryOperation = (typeof registryOperations)[number]

/** Short calls from the edge, answered by the workspace's one repository worker. */
export const callSubject = (workspace: WorkspaceId | '*', family: CallFamily | '>'): string =>
  `mw.${workspace}.call.${family}`

/** Where the edge puts jobs; bound to the stream. */
export const jobsSubject = (workspace: WorkspaceId | '*'): string => `mw.${workspace}.jobs`

/** The durable consumer that hands a workspace's jobs to its repository worker. */
export const jobsConsumer = (workspace: WorkspaceId): string => `repository-${workspace}`

/** Progress of one job, worker to edge. Not stored: the registry has the outcome. */
export const jobSubject = (workspace: WorkspaceId | '*', job: JobId | '*'): string => `mw.${workspace}.job.${job}`

/** Asks the worker to stop a job. Not stored: the registry has the request too. */
export const cancelSubject = (workspace: WorkspaceId | '*', job: JobId | '*'): string => `mw.${workspace}.cancel.${job}`

/** Questions of the worker to the registry, answered by any edge process. */
export const registrySubject = (workspace: WorkspaceId | '*', operation: RegistryOperation | '>'): string =>
  `mw.${workspace}.registry.${operation}`

/** Things that changed, for whoever shows them. */
export const eventsSubject = (workspace: WorkspaceId | '*'): string => `mw.${workspace}.events`

/** Inbox prefixes: each side may only read its own, so that nobody reads another's replies. */
export const EDGE_INBOX = '_INBOX_edge'
export const WORKER_INBOX = '_INBOX_worker'
