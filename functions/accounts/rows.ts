import * as v from 'valibot'
import { parseScopes, Role } from '#shared/access.ts'
import { WorkspaceId } from '#shared/ids.ts'

// Rows are parsed like any other input: the file can have been edited, restored or damaged. One that does not parse throws,
// and whoever asked is refused with `unavailable`: a damaged right is no right.

const time = v.pipe(v.number(), v.integer(), v.minValue(0))
const ScopesText = v.pipe(v.string(), v.transform(parseScopes))

export const UserRow = v.object({ user_id: v.string(), name: v.string() })

export const KeyRow = v.object({
  fingerprint: v.string(),
  spki: v.string(),
  user_id: v.string(),
  label: v.string(),
  user_name: v.string(),
  created_at: time,
  last_used_at: v.nullable(time),
  revoked_at: v.nullable(time),
})

export const MembershipRow = v.object({ workspace: WorkspaceId, role: Role })

export const MemberRow = v.object({ user_id: v.string(), name: v.string(), role: Role })

export const SessionRow = v.object({
  session_id: v.string(),
  kind: v.picklist(['page', 'program']),
  user_id: v.string(),
  fingerprint: v.string(),
  workspace: WorkspaceId,
  scopes: ScopesText,
  label: v.string(),
  created_at: time,
  refreshed_at: time,
  ends_at: time,
})

export const NamedTokenRow = v.object({
  token_id: v.string(),
  user_id: v.string(),
  user_name: v.string(),
  workspace: WorkspaceId,
  scopes: ScopesText,
  name: v.string(),
  created_at: time,
  expires_at: time,
  last_used_at: v.nullable(time),
  revoked_at: v.nullable(time),
})

export const AccessRow = v.object({
  credential_id: v.string(),
  user_id: v.string(),
  user_name: v.string(),
  workspace: WorkspaceId,
  scopes: ScopesText,
  role: Role,
  expires_at: time,
  last_used_at: v.nullable(time),
})

export const AuditRow = v.object({
  at: time,
  actor: v.string(),
  action: v.string(),
  target: v.nullable(v.string()),
  workspace: v.nullable(v.string()),
  outcome: v.string(),
  credential: v.nullable(v.string()),
  address: v.nullable(v.string()),
})

export const ValueRow = v.object({ value: v.string(), metadata: v.nullable(v.string()) })

export const ListedValueRow = v.object({
  key: v.string(),
  metadata: v.nullable(v.string()),
  expires_at: v.nullable(time),
})
