import { AppError } from '#shared/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { SessionHolder, SessionHost } from '../../ports/session-host.ts'
import type { UnnamedObjects } from './runtime.ts'
import { NO_SESSION_HERE, SESSION_URL, type SessionPost, type SessionStub } from './session-wire.ts'

/** How long a session that had not ended is taken for one that has not: what another process was told arrives this late. */
const STANDING_MS = 5000
/** Sessions whose standing is remembered. */
const STANDINGS_MAX = 1000

/** Headers that are for the gate, which has read them. */
const gateHeaders: ReadonlySet<string> = new Set(['authorization', 'cookie'])

/** Sessions by way of their objects, of which each has one. */
export function createObjectSessions(objects: UnnamedObjects<SessionStub>, clock: Clock): SessionHost {
  /** When each was last asked for a holder, or that it has ended. In order of that. */
  const standings = new Map<string, { readonly ended: boolean; readonly at: number }>()

  const keyOf = (id: string, { subject, workspace }: SessionHolder) => JSON.stringify([id, workspace, subject])

  function note(key: string, ended: boolean): void {
    standings.delete(key)
    standings.set(key, { ended, at: clock.now() })
    const [oldest] = standings.keys()
    if (standings.size > STANDINGS_MAX && oldest !== undefined) standings.delete(oldest)
  }

  /** Null for an id that was never given out. */
  function find(id: string | null): SessionStub | null {
    try {
      return id === null ? null : objects.get(objects.idFromString(id))
    } catch {
      return null
    }
  }

  return {
    async serve(request, question) {
      const id = request.headers.get('mcp-session-id')
      const begins = Object(question.message).method === 'initialize'
      const stub = begins ? objects.get(objects.newUniqueId()) : find(id)
      if (stub === null) return null
      const headers = [...request.headers].filter(([name]) => !gateHeaders.has(name))
      const post: SessionPost = { ...question, method: request.method, headers }
      let answer: Response
      try {
        const { signal } = request
        answer = await stub.fetch(SESSION_URL, { method: 'POST', body: JSON.stringify(post), signal })
      } catch (cause) {
        throw new AppError('unavailable', 'Cannot reach the session: no answer came', {
          cause,
          hint: 'Try again in a moment',
        })
      }
      if (answer.status === NO_SESSION_HERE) return null
      const { workspace, sender } = question
      const holder = { subject: sender.caller.subject, workspace }
      if (request.method === 'DELETE' && answer.ok && id !== null) note(keyOf(id, holder), true)
      // What was fetched has headers that cannot be changed.
      return new Response(answer.body, answer)
    },

    async hasEnded(id, holder) {
      const key = keyOf(id, holder)
      const known = standings.get(key)
      if (known !== undefined && (known.ended || clock.now() - known.at < STANDING_MS)) return known.ended
      const stub = find(id)
      if (stub === null) return false
      const ended = await stub.hasEnded(holder).catch(() => false)
      note(key, ended)
      return ended
    },
  }
}
