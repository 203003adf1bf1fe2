import { AppError } from '#shared/errors.ts'
import { PATH_BYTES_MAX } from '#shared/protocol/limits.ts'
import { JOB_SARIF_TEMPLATE } from '#shared/resource-uris.ts'

const SCHEME = 'millwright://'

/** A path with each byte as three characters, and room for what stands before it. */
const URI_CHARACTERS_MAX = 3 * PATH_BYTES_MAX + 100

/** What a resource's address names. */
export type ResourceAddress =
  | { readonly kind: 'rules' | 'server_report' | 'bugs_report' }
  | { readonly kind: 'agent' | 'agent_file'; readonly agentId: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'job_report' | 'job_sarif'; readonly jobId: string }

/** Addresses without variables. */
export const RULES_URI = `${SCHEME}rules`
export const SERVER_REPORT_URI = `${SCHEME}reports/server`
export const BUGS_REPORT_URI = `${SCHEME}reports/bugs`

/** Templates as in RFC 6570: `{x}` is one part between slashes, `{+x}` takes slashes too. */
export const AGENT_TEMPLATE = `${SCHEME}agents/{agent_id}`
export const AGENT_FILE_TEMPLATE = `${SCHEME}agents/{agent_id}/file`
export const FILE_TEMPLATE = `${SCHEME}files/{+path}`
export const JOB_REPORT_TEMPLATE = `${SCHEME}reports/jobs/{job_id}`

const SARIF = JOB_SARIF_TEMPLATE.slice(JOB_SARIF_TEMPLATE.lastIndexOf('/') + 1)

export const agentUri = (agentId: string): string => AGENT_TEMPLATE.replace('{agent_id}', () => agentId)
export const agentFileUri = (agentId: string): string => AGENT_FILE_TEMPLATE.replace('{agent_id}', () => agentId)

const fixed: ReadonlyMap<string, ResourceAddress> = new Map([
  [RULES_URI, { kind: 'rules' }],
  [SERVER_REPORT_URI, { kind: 'server_report' }],
  [BUGS_REPORT_URI, { kind: 'bugs_report' }],
])

/**
 * Reads an address; null for what is none of ours. Throws `invalid_input` for one that is too long or not decodable. Not
 * with URL, which resolves `..` by itself: what a path means is for the worker alone to judge, as it was sent.
 */
export function parseResourceUri(uri: string): ResourceAddress | null {
  if (uri.length > URI_CHARACTERS_MAX) {
    throw new AppError(
      'invalid_input',
      `Cannot read the resource: ${uri.length} characters, limit ${URI_CHARACTERS_MAX}`,
    )
  }
  if (!uri.startsWith(SCHEME)) return null
  const known = fixed.get(uri)
  if (known !== undefined) return known
  const [folder, ...parts] = uri.slice(SCHEME.length).split('/')
  if (folder === 'files') return { kind: 'file', path: decode(parts.join('/')) }
  const [first, second] = parts.map(decode)
  if (folder === 'agents' && first !== undefined) {
    if (parts.length === 1) return { kind: 'agent', agentId: first }
    if (parts.length === 2 && second === 'file') return { kind: 'agent_file', agentId: first }
  }
  if (folder === 'reports' && parts.length === 2 && first === 'jobs' && second !== undefined) {
    return { kind: 'job_report', jobId: second }
  }
  if (folder === 'reports' && parts.length === 3 && first === 'jobs' && second !== undefined && parts[2] === SARIF) {
    return { kind: 'job_sarif', jobId: second }
  }
  return null
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new AppError('invalid_input', 'Cannot read the resource: its address has a % that encodes nothing', {
      hint: 'Write a percent sign as %25',
      cause,
    })
  }
}
