import { BUGS_PATH } from '#shared/schemas/bug.ts'
import type { WorkspaceEvent } from '#shared/schemas/event.ts'
import { parseResourceUri } from './resource-uri.ts'

/** What an event means for whoever reads resources. */
export interface ResourceChange {
  /** The list of resources is another: agents came, went or were renamed. */
  readonly list: boolean
  /** Keys, as `resourceKey` gives them, of what reads otherwise now. */
  readonly keys: readonly string[]
}

/** The same for all spellings of one resource's address; null for what is no address of ours. Throws as `parseResourceUri`. */
export function resourceKey(uri: string): string | null {
  const address = parseResourceUri(uri)
  if (address === null) return null
  switch (address.kind) {
    case 'agent':
      return agentKey(address.agentId)
    case 'agent_file':
      return agentFileKey(address.agentId)
    case 'file':
      return fileKey(address.path)
    case 'job_report':
      return jobKey(address.jobId)
    case 'job_sarif':
      return sarifKey(address.jobId)
    default:
      return address.kind
  }
}

const agentKey = (id: string): string => `agent ${id}`
const agentFileKey = (id: string): string => `agent_file ${id}`
const fileKey = (path: string): string => `file ${path}`
const jobKey = (id: string): string => `job ${id}`
const sarifKey = (id: string): string => `sarif ${id}`
const SERVER: ReturnType<typeof resourceKey> & string = 'server_report'
const BUGS: ReturnType<typeof resourceKey> & string = 'bugs_report'
const RULES: ReturnType<typeof resourceKey> & string = 'rules'

const nothing: ResourceChange = { list: false, keys: [] }
const changed = (...keys: string[]): ResourceChange => ({ list: false, keys })

export function toResourceChange(event: WorkspaceEvent): ResourceChange {
  switch (event.type) {
    case 'agent_changed':
      return { list: true, keys: [agentKey(event.agent_id), agentFileKey(event.agent_id)] }
    case 'job_changed':
      return changed(
        jobKey(event.job_id),
        sarifKey(event.job_id),
        SERVER,
        ...(event.agent_id === undefined ? [] : [agentKey(event.agent_id)]),
      )
    case 'job_progressed':
      return changed(jobKey(event.job_id))
    case 'file_changed':
      return changed(
        fileKey(event.path),
        ...(event.path === BUGS_PATH ? [BUGS] : []),
        ...(event.agent_id === undefined ? [] : [agentFileKey(event.agent_id), agentKey(event.agent_id)]),
      )
    case 'worker_changed':
      return changed(SERVER, RULES)
    case 'model_changed':
      return changed(SERVER)
    case 'committed':
      return nothing
  }
}
