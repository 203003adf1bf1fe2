import { AppError } from '#shared/errors.ts'
import type { Authenticator, Principal } from '../ports/authenticator.ts'
import type { Clock } from '../ports/clock.ts'
import { createOpenLimit } from './open-limit.ts'
import { networkOf } from './peer-address.ts'

/** What the entry file knows of a request beside the request. */
export interface EdgeBindings {
  Bindings: {
    /** Of the peer on the network. Never from a header that a client can write. */
    readonly address: string
  }
}

/** An assistant makes a few calls a second at most; a script of a team's continuous integration some more. */
const CALLS_MAX = 1200
/** Somebody who mistypes a token tries a few times. What tries more is a program that has none. */
const FAILURES_MAX = 60
const WINDOW_MS = 60_000

export const tooMany = (why: string, waitMs: number): AppError =>
  new AppError('rate_limited', `Cannot answer: ${why}`, {
    hint: `Try again in ${Math.ceil(waitMs / 1000)} s`,
    details: { retry_after_ms: waitMs },
  })

/** Lets a request in that came from an address. Rejects as the gate does, and with `rate_limited`. */
export type LimitedGate = (request: Request, address: string) => Promise<Principal>

/**
 * The same gate with limits on it: calls for each person, and failures for each address. A good token is good however many
 * bad ones come from the same address, so that nobody can lock anybody out. The machine's owner is not counted.
 */
export function limitCallers(gate: Authenticator, clock: Clock): LimitedGate {
  const calls = createOpenLimit(CALLS_MAX, WINDOW_MS, clock)
  const failures = createOpenLimit(FAILURES_MAX, WINDOW_MS, clock)
  return async (request, address) => {
    let principal: Principal
    try {
      principal = await gate.authenticate(request)
    } catch (error) {
      const waitMs =
        error instanceof AppError && error.code === 'unauthenticated' ? failures.tryOpen(networkOf(address)) : null
      throw waitMs === null
        ? error
        : tooMany(`more than ${FAILURES_MAX} requests without a good token in a minute`, waitMs)
    }
    const waitMs = principal.credential === null ? null : calls.tryOpen(principal.subject)
    if (waitMs !== null) throw tooMany(`more than ${CALLS_MAX} calls in a minute`, waitMs)
    return principal
  }
}
