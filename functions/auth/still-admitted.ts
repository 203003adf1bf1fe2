import { AppError } from '#shared/errors.ts'
import type { Authenticator, Principal } from '../ports/authenticator.ts'

/**
 * Whether the credentials of a request that was let in before would let the same caller read the same workspace now. A
 * store that does not answer ends nothing: it is asked again. Never rejects.
 */
export async function isStillAdmitted(gate: Authenticator, request: Request, before: Principal): Promise<boolean> {
  try {
    const now = await gate.authenticate(request)
    return now.subject === before.subject && now.workspace === before.workspace && now.scopes.includes('read')
  } catch (error) {
    return !(error instanceof AppError) || !refusals.includes(error.code)
  }
}

const refusals: readonly string[] = ['unauthenticated', 'forbidden']
