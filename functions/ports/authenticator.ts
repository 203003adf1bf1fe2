import type { Caller } from '#shared/protocol/envelope.ts'

/** Turns a request's credentials into who asks. */
export interface Authenticator {
  /** Rejects with AppError `unauthenticated`. Never says which part of a credential was wrong. */
  authenticate(request: Request): Promise<Caller>
}
