import type { JobId, WorkspaceId } from '../ids.ts'

/** The wire's version. A message of another version is refused, never guessed at. */
export const WIRE_VERSION = 1

/** The work queue. One stream for all workspaces; the limit on waiting jobs holds per subject, so per workspace. */
export const JOBS_STREAM = 'MW_JOBS'

export const callFamilies = [
  'agents',
  'agent_files',
  'files',
  'git',
  'checks',
  'templates',
  'improvement',
  'system',
] as const
export type CallFamily = (typeof callFamilies)[number]

export const registryOperations = [
  'claim_job',
  'finish_job',
  'find_owners',
  'list_owners',
  'find_over',
  'take_agent',
  'release_agent',
] as const
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

/**
 * A model's name as one part of a subject: names hold dots, slashes and colons. Base64url of its UTF-8, which is the
 * same at both ends and needs no table.
 */
const modelToken = (model: string): string => {
  const bytes = String.fromCharCode(...new TextEncoder().encode(model))
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Everything between a workspace's repository worker and the model workers. */
export const modelSubjects = (workspace: WorkspaceId | '*'): string => `mw.${workspace}.model.>`

/** Work for a model. All workers that serve the name listen as one queue group, so that one of them gets it. */
export const modelAskSubject = (workspace: WorkspaceId | '*', model: string): string =>
  `mw.${workspace}.model.ask.${modelToken(model)}`

/** The queue group of a model's name. */
export const modelQueue = (model: string): string => `model-${modelToken(model)}`

/** The same for one worker by its id, when another had no room or fell silent. */
export const modelMemberSubject = (workspace: WorkspaceId | '*', member: string): string =>
  `mw.${workspace}.model.member.${member}`

/** What a caller says of a call under way: that it still waits, or that it does not. Every model worker hears it. */
export const modelCallSubject = (workspace: WorkspaceId | '*', call: string): string =>
  `mw.${workspace}.model.call.${call}`

/** Asks all model workers who they are and what they serve. */
export const modelFindSubject = (workspace: WorkspaceId | '*'): string => `mw.${workspace}.model.find`

/** Inbox prefixes: each side may only read its own, so that nobody reads another's replies. */
export const EDGE_INBOX = '_INBOX_edge'
export const WORKER_INBOX = '_INBOX_worker'
/** Where model workers answer. Not the worker's own inbox: who serves a model cannot pose as the registry. */
export const MODEL_ANSWER_INBOX = '_INBOX_model'

/** Where a machine hands over its key, while somebody waits for it. */
export const enrollSubject = (name: string): string => `mw.enroll.${name}`

/** Where the answer to that comes. */
export const enrollInbox = (name: string): string => `_INBOX_enroll.${name}`

/** Inboxes of a machine that was enrolled, by its name: for answers of the registry, and of model workers. */
export interface MachineInboxes {
  readonly own: string
  readonly model: string
}
export const machineInboxes = (name: string): MachineInboxes => ({
  own: `_INBOX_machine.${name}.own`,
  model: `_INBOX_machine.${name}.model`,
})
