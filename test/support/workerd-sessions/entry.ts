import { createObjectSessions } from '#functions/adapters/workerd/object-sessions.ts'
import type { UnnamedObjects } from '#functions/adapters/workerd/runtime.ts'
import type { SessionStub } from '#functions/adapters/workerd/session-wire.ts'
import { createEdge, type Environment } from '#functions/entry.workerd.ts'
import { subscribingMethods } from '#functions/mcp/subscriptions.ts'
import type { SessionHolder, SessionHost } from '#functions/ports/session-host.ts'
import { createConformanceExtension } from '../../conformance/extension.ts'
import { createTasks } from '../../conformance/tasks.ts'

// Sessions as workerd's adapter serves them, to any holder that a test names, and what else a test does to their objects.

export * from '#functions/entry.workerd.ts'

/** `ask` is one request of a session's client; null in place of its id for one that has none yet. */
export type SessionsQuestion =
  | { kind: 'ask'; session: string | null; holder: SessionHolder; method: string; message: object | null }
  | { kind: 'hasEnded'; session: string; holder: SessionHolder }
  | { kind: 'pass'; ms: number }
  | { kind: 'object'; session: string; method: 'alarmAt' | 'fireAlarm' | 'putAway' }

interface TestSessionStub extends SessionStub {
  alarmAt(): Promise<number | null>
  fireAlarm(): Promise<void>
  putAway(): Promise<void>
}

interface TestEnvironment extends Environment {
  readonly SESSIONS: UnnamedObjects<TestSessionStub>
}

/** With the product's own subscriptions in place of the fixtures'. */
const edge = createEdge(() => {
  const extension = createConformanceExtension(createTasks())
  return { ...extension, methods: new Set([...extension.methods].filter((name) => !subscribingMethods.includes(name))) }
})
let sessions: SessionHost | undefined

/** The product's, open to the test. */
export class HeldSession extends edge.HeldSession {
  alarmAt(): Promise<number | null> {
    return this.ctx.storage.getAlarm()
  }

  /** Does what the runtime does when the time has come. */
  fireAlarm(): Promise<void> {
    return this.alarm()
  }

  /** Loses all that is in memory, as when the runtime needs the room. */
  async putAway(): Promise<void> {
    const { ctx } = this as unknown as { ctx: { abort(reason: string): void } }
    ctx.abort('Put away by a test')
  }
}

/** What has passed by the word of a test, in all objects. */
let passedMs = 0
const realNow = Date.now
Date.now = () => realNow() + passedMs

export default {
  async fetch(request: Request, env: TestEnvironment): Promise<Response> {
    const question = (await request.json()) as SessionsQuestion
    if (question.kind === 'pass') {
      passedMs += question.ms
      return Response.json(null)
    }
    sessions ??= createObjectSessions(env.SESSIONS, { now: () => Date.now() })
    if (question.kind === 'hasEnded') return Response.json(await sessions.hasEnded(question.session, question.holder))
    if (question.kind === 'object') {
      const stub = env.SESSIONS.get(env.SESSIONS.idFromString(question.session))
      // Of an object that is put away no answer comes.
      const answer = stub[question.method]()
      return Response.json((await (question.method === 'putAway' ? answer.catch(() => null) : answer)) ?? null)
    }
    const { session, holder, method, message } = question
    const headers = new Headers({ accept: 'application/json, text/event-stream', 'content-type': 'application/json' })
    if (session !== null) headers.set('mcp-session-id', session)
    const { subject, workspace } = holder
    const sender = { caller: { subject }, credential: null, scopes: ['read'] as const, tools: null, requestId: 'test' }
    const answer = await sessions.serve(new Request(request.url, { method, headers, signal: request.signal }), {
      workspace: workspace as Parameters<SessionHost['serve']>[1]['workspace'],
      sender,
      message,
    })
    return answer ?? new Response(null, { status: 204 })
  },
}
