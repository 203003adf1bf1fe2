import * as v from 'valibot'
import {
  AddedKey,
  type Administration,
  MadeToken,
  People,
  Revoked,
  RevokedMachine,
  Standing,
} from '#functions/auth/administration.ts'
import { isLoopbackAddress } from '#functions/http/loopback.ts'
import { AppError, WireError } from '#shared/errors.ts'

/** An object that has to wake up takes a second. */
const TIMEOUT_MS = 30_000

const Refusal = v.pipe(v.string(), v.parseJson(), v.object({ error: WireError }))

/** Where an edge is: `https://HOST`, or `http://` on this machine. Throws an Error for what would send a token in the clear. */
export function parseEdgeUrl(text: string): { readonly origin: string; readonly isHere: boolean } {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHere = url !== undefined && isLoopbackAddress(url.host)
  const isPlain = url !== undefined && url.pathname === '/' && url.search === '' && url.username === ''
  if (url === undefined || !isPlain || !(url.protocol === 'https:' || (url.protocol === 'http:' && isHere))) {
    throw new Error('--edge must be https://HOST without a path, or http://127.0.0.1:PORT on this machine')
  }
  return { origin: url.origin, isHere }
}

/** The administration of an edge in workerd, over HTTP. `token` is the owner's. */
export function createHttpAdministration(origin: string, token: string): Administration {
  async function ask<const S extends v.GenericSchema>(
    path: string,
    answer: S,
    body?: unknown,
  ): Promise<v.InferOutput<S>> {
    let response: Response
    let text: string
    try {
      response = await fetch(`${origin}/auth/administration/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The token is for this address and no other.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      text = await response.text()
    } catch (cause) {
      throw new AppError('unavailable', `Cannot reach the edge at ${origin}`, {
        cause,
        hint: 'Is it running, and is that its address?',
      })
    }
    if (response.ok) {
      const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), answer), text)
      if (parsed.success) return parsed.output
      throw new Error(`Cannot understand the edge at ${origin}: is it another version of Millwright?`)
    }
    const refusal = v.safeParse(Refusal, text)
    if (!refusal.success) throw new Error(`Cannot use the edge at ${origin}: it answered ${response.status}`)
    const { error } = refusal.output
    if (response.status === 404 && error.message.includes('there is no such address')) {
      throw new AppError('not_found', `The edge at ${origin} takes no keys over HTTP`, {
        hint: 'It runs on Node: leave --edge out, on its own machine',
      })
    }
    throw AppError.fromWire(error)
  }

  return {
    addKey: (wish) => ask('keys', AddedKey, wish),
    grant: (wish) => ask('grant', Standing, wish),
    remove: (wish) => ask('remove', Standing, wish),
    makeToken: (wish) => ask('tokens', MadeToken, wish),
    list: () => ask('people', People),
    revoke: (wish) => ask('revoke', Revoked, wish),
    revokeMachine: (wish) => ask('revoke-machine', RevokedMachine, wish),
  }
}
