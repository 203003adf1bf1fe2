import type { WorkspaceId } from '#shared/ids.ts'
import type { Principal } from '../ports/authenticator.ts'
import type { OpenWorkspace } from '../ports/edge-ports.ts'

/** The workspace that a caller's token is for; `home` for the machine's owner, whose token names none. */
export const openWorkspace = (principal: Principal, home: WorkspaceId): OpenWorkspace =>
  (principal.workspace ?? home) as OpenWorkspace

/** For work that nobody asked for and whose result nobody is shown: putting right what a crash left in a workspace. */
export const openForRepairs = (workspace: WorkspaceId): OpenWorkspace => workspace as OpenWorkspace
