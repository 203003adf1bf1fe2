import * as v from 'valibot'

/** Characters that every file system, log and URL takes as they are; the first one is never a dash or underscore. */
export const AgentId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be 1 to 64 letters, digits, dashes or underscores'),
  v.brand('AgentId'),
)
export type AgentId = v.InferOutput<typeof AgentId>

/** One NATS subject token. */
export const WorkspaceId = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 lower-case letters, digits or dashes'),
  v.brand('WorkspaceId'),
)
export type WorkspaceId = v.InferOutput<typeof WorkspaceId>

export const JobId = v.pipe(
  v.string(),
  v.regex(/^job_[0-9a-hjkmnp-tv-z]{26}$/, 'must be a job id as a tool returned it'),
  v.brand('JobId'),
)
export type JobId = v.InferOutput<typeof JobId>

/** SHA-256 of a file's bytes, in hexadecimal. */
export const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits'))

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz'

/** A new job id: 48 bits of time, so that ids sort by creation, and 80 random bits (the ULID layout). */
export function createJobId(nowMs: number, random: Uint8Array = crypto.getRandomValues(new Uint8Array(16))): JobId {
  let text = ''
  for (let shift = 45; shift >= 0; shift -= 5) text += CROCKFORD[Math.floor(nowMs / 2 ** shift) % 32]
  for (let index = 0; index < 16; index++) text += CROCKFORD[(random[index] ?? 0) % 32]
  return v.parse(JobId, `job_${text}`)
}

/** A workspace id made from a folder's name; `workspace` where nothing usable is left. */
export function toWorkspaceId(name: string): WorkspaceId {
  const text = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
  return v.parse(WorkspaceId, text === '' ? 'workspace' : text)
}
