import type { Scope } from '#shared/access.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import type { Caller } from '#shared/protocol/envelope.ts'

/** Who asks, and what their token lets them do. */
export interface Principal extends Caller {
  /** All that is allowed, contained scopes too. */
  readonly scopes: readonly Scope[]
  /** The one workspace that the token is for; null for the machine's owner, who has the one that is served here. */
  readonly workspace: WorkspaceId | null
  /** The person's name; null for the machine's owner. */
  readonly name: string | null
  /** Of the session, named token or grant; null for the owner's own token. */
  readonly credential: string | null
}

/** Turns a request's credentials into who asks. */
export interface Authenticator {
  /** Rejects with AppError `unauthenticated`. Never says which part of a credential was wrong. */
  authenticate(request: Request): Promise<Principal>
}
