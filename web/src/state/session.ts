import * as v from 'valibot'
import { Scope } from '#shared/access.ts'
import { AppError } from '#shared/errors.ts'
import { askServer, type Fetch } from '../api/server-json.ts'
import { signText } from '../keys/key-proof.ts'
import type { PrivateKey } from '../keys/private-key.ts'
import { createStore, type Store } from './store.ts'

const Time = v.pipe(v.string(), v.isoTimestamp())

/** What the page holds while somebody is signed in. No key: that was used once and let go. */
export const Session = v.object({
  /** Null for the owner's token, which opens no session. */
  session_id: v.nullable(v.string()),
  user_name: v.string(),
  workspace: v.string(),
  scopes: v.array(Scope),
  access_token: v.string(),
  /** Null for a pasted token: only its maker knows when it ends. */
  access_expires_at: v.nullable(Time),
  refresh_token: v.nullable(v.string()),
  /** When the key must be shown again. */
  ends_at: v.nullable(Time),
  /** How far the server's clock, by which the times above are, was ahead of this computer's at the sign-in. */
  server_ahead_ms: v.optional(v.number(), 0),
})
export type Session = v.InferOutput<typeof Session>

/** `ended`: the server no longer takes it. `left`: signed out, here or in another tab. */
export type SessionState =
  | { readonly kind: 'signed_out'; readonly reason: 'none' | 'ended' | 'left' }
  | { readonly kind: 'signed_in'; readonly session: Session; readonly endsSoon: boolean }

export interface SessionPorts {
  readonly fetch: Fetch
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>
  readonly now: () => number
  /** Runs work while no other tab of this browser does: a refresh token that is used twice ends the session. */
  readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>
}

export interface SessionKeeper {
  readonly state: Store<SessionState>
  /** Rejects with AppError. */
  signIn(key: PrivateKey, label: string): Promise<void>
  /** By a token that somebody else made. Rejects with AppError. */
  signInWithToken(token: string): Promise<void>
  /** Ends the session at the server as well, as far as that can be reached. */
  signOut(): Promise<void>
  /** A token to send, renewed first where it is about to end. Rejects with `unauthenticated` where nobody is signed in. */
  token(): Promise<string>
  /** The server has refused `token`: renews it, or signs out and rejects with `unauthenticated`. */
  refused(token: string): Promise<void>
  /** Takes over what another tab did, renews what is about to end, and sees whether the end is near. Never rejects. */
  tick(): Promise<void>
}

export const SESSION_KEY = 'millwright.session'
/** A token lives a quarter of an hour: renewed this long before, a lost attempt or a slow clock does no harm. */
const RENEW_BEFORE_MS = 2 * 60_000
const WARN_BEFORE_MS = 15 * 60_000

const Challenge = v.object({ challenge: v.string(), server_time: Time })
const Tokens = v.object({
  session_id: v.string(),
  workspace: v.string(),
  scopes: v.array(Scope),
  access_token: v.string(),
  access_expires_at: Time,
  refresh_token: v.nullable(v.string()),
  ends_at: Time,
})
const Opened = v.object({ ...Tokens.entries, user: v.object({ name: v.string() }) })
const Known = v.object({
  user: v.object({ name: v.string() }),
  session_id: v.nullable(v.string()),
  workspace: v.string(),
  scopes: v.array(Scope),
})

/** Keeps one session for all tabs of the browser. */
export function createSessionKeeper({ fetch, storage, now, exclusive }: SessionPorts): SessionKeeper {
  const state = createStore<SessionState>({ kind: 'signed_out', reason: 'none' })

  /** A computer whose clock is hours off would else renew with every call, or never. */
  const serverNow = ({ server_ahead_ms }: Session): number => now() + server_ahead_ms

  function stored(): Session | null {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Session), storage.getItem(SESSION_KEY))
    return parsed.success ? parsed.output : null
  }

  function show(session: Session | null, reason: 'none' | 'ended' | 'left' = 'left'): void {
    const shown = state.get()
    if (session === null) {
      if (shown.kind === 'signed_in') state.set({ kind: 'signed_out', reason })
      return
    }
    const endsSoon = session.ends_at !== null && Date.parse(session.ends_at) - serverNow(session) < WARN_BEFORE_MS
    const same =
      shown.kind === 'signed_in' && shown.endsSoon === endsSoon && shown.session.access_token === session.access_token
    if (!same) state.set({ kind: 'signed_in', session, endsSoon })
  }

  function keep(session: Session): void {
    storage.setItem(SESSION_KEY, JSON.stringify(session))
    show(session)
  }

  function forget(reason: 'ended' | 'left'): void {
    storage.removeItem(SESSION_KEY)
    show(null, reason)
  }

  const isDue = (session: Session): boolean =>
    session.refresh_token !== null &&
    session.access_expires_at !== null &&
    Date.parse(session.access_expires_at) - serverNow(session) < RENEW_BEFORE_MS

  /** Renews unless another tab has done so since `token` was current. Signs out where the server says that it is over. */
  const renew = (token: string): Promise<void> =>
    exclusive(async () => {
      const current = stored()
      if (current === null || current.access_token !== token) return show(current)
      if (current.refresh_token === null) return forget('ended')
      const body = { refresh_token: current.refresh_token }
      try {
        const fresh = await askServer(fetch, '/auth/refresh', Tokens, { method: 'POST', body })
        keep({ ...fresh, user_name: current.user_name, server_ahead_ms: current.server_ahead_ms })
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'unauthenticated') throw error
        forget('ended')
      }
    })

  show(stored())
  return {
    state,

    async signIn(key, label) {
      const { challenge, server_time } = await askServer(fetch, '/auth/challenge', Challenge, {
        method: 'POST',
        body: { key: key.fingerprint },
      })
      const server_ahead_ms = Date.parse(server_time) - now()
      const signature = await signText(key.signing, challenge)
      const body = { challenge, signature, algorithm: 'RSA-PSS', label }
      const { user, ...tokens } = await askServer(fetch, '/auth/session', Opened, { method: 'POST', body })
      keep({ ...tokens, user_name: user.name, server_ahead_ms })
    },

    async signInWithToken(token) {
      const { user, ...known } = await askServer(fetch, '/auth/session', Known, { token })
      keep({
        ...known,
        user_name: user.name,
        access_token: token,
        access_expires_at: null,
        refresh_token: null,
        ends_at: null,
        server_ahead_ms: 0,
      })
    },

    async signOut() {
      const session = stored()
      forget('left')
      // Without a refresh token it is a token that somebody made for more than this page.
      if (session === null || session.refresh_token === null) return
      await askServer(fetch, '/auth/session', v.null(), { method: 'DELETE', token: session.access_token }).catch(
        (error: unknown) => {
          if (!(error instanceof AppError) || !['unauthenticated', 'not_found'].includes(error.code)) throw error
        },
      )
    },

    async token() {
      const session = stored()
      // Where the server cannot be reached the old token is as good as none, and the call itself will say so.
      if (session !== null && isDue(session)) await renew(session.access_token).catch(() => undefined)
      const current = stored()
      if (current === null) throw signedOut()
      return current.access_token
    },

    async refused(token) {
      await renew(token)
      if (state.get().kind === 'signed_out') throw signedOut()
    },

    async tick() {
      const session = stored()
      show(session)
      if (session !== null && isDue(session)) await renew(session.access_token).catch(() => undefined)
    },
  }
}

const signedOut = (): AppError => new AppError('unauthenticated', 'You are not signed in', { hint: 'Sign in again' })
