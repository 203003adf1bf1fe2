import { setTimeout } from 'node:timers/promises'
import {
  isInitializedNotification,
  isInitializeRequest,
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
  type RequestId,
  type StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client'
import * as v from 'valibot'
import { TRANSPORT_ERROR } from '#functions/http/json-rpc.ts'
import { type Failure, toFailure, toRefusal } from './failure.ts'
import type { StreamWatch } from './http-side.ts'
import { Repeatable } from './repeatable.ts'

export interface RelayOptions {
  /** Towards the client that started us. */
  readonly client: Transport
  readonly url: URL
  readonly createHttp: (watch: StreamWatch) => StreamableHTTPClientTransport
  readonly log: (line: string) => void
}

interface Call {
  readonly request: JSONRPCRequest
  /** Aborted when nobody waits for the answer any more. */
  readonly abort: AbortController
  readonly answered: PromiseWithResolvers<'answered'>
}

/** A restart takes a few seconds; clients give a call a minute. */
const PATIENCE_MS = 30_000
/** Clients give a server ten seconds to say hello, and then show its last words. */
const GREETING_PATIENCE_MS = 8000
const FIRST_DELAY_MS = 100
const DELAY_MS_MAX = 2000
/** To end calls and the session; a client waits two seconds before it ends us by force. */
const FAREWELL_MS = 1500

const Initialized = v.looseObject({ protocolVersion: v.string() })
const Cancelled = v.looseObject({ requestId: v.union([v.string(), v.number()]) })

/**
 * Passes the messages of one client on to an endpoint and the endpoint's to the client, as they are: the two agree on a revision
 * themselves, and whatever they have to say to each other (progress, questions, changes of lists, refusals) needs no word of
 * ours. What is ours: a request is sent again while the endpoint cannot be reached, and where it may be repeated also when the
 * answer was lost; a forgotten session is begun anew; what cannot be answered is refused in the endpoint's own form.
 */
export class Relay {
  readonly #client: Transport
  readonly #http: StreamableHTTPClientTransport
  readonly #url: URL
  readonly #log: (line: string) => void
  readonly #calls = new Map<RequestId, Call>()
  readonly #repeatable = new Repeatable()
  readonly #ended = Promise.withResolvers<void>()
  /** How the client of an older revision said hello; undefined for one that needs no session. */
  #greeting: JSONRPCRequest | undefined
  #renewal: Promise<void> | undefined
  /**
   * While a session's stream of messages is not open: what the endpoint asks in the course of a call may come by it, and would be
   * lost; and when it has ended, nobody knows whether the endpoint still knows the session. Settles when that is known.
   */
  #doubt: PromiseWithResolvers<void> | undefined
  #closing: Promise<void> | undefined

  constructor({ client, url, createHttp, log }: RelayOptions) {
    this.#client = client
    this.#url = url
    this.#log = log
    this.#http = createHttp({
      onSettled: () => this.#doubt?.resolve(),
      onEnd: () => {
        this.#doubt = Promise.withResolvers()
      },
      onForgotten: () => void this.#renew(),
    })
  }

  /** Resolves when the client has gone and what it left under way has been ended. Never rejects. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  async start(): Promise<void> {
    this.#http.onmessage = (message) => this.#fromEndpoint(message)
    this.#http.onerror = (error) => this.#log(`endpoint: ${describe(error)}`)
    this.#client.onmessage = (message) => void this.#fromClient(message)
    this.#client.onerror = (error) => this.#log(`client: ${describe(error)}`)
    this.#client.onclose = () => void this.close()
    await this.#http.start()
    await this.#client.start()
  }

  /** Ends the calls under way, and with them their jobs, then the session. Safe to repeat. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      const farewell = async () => {
        await Promise.allSettled([...this.#calls.keys()].map((id) => this.#cancel(id, 'The client has gone')))
        await this.#http.terminateSession()
      }
      await Promise.race([farewell().catch(() => undefined), setTimeout(FAREWELL_MS, undefined, { ref: false })])
      await this.#http.close()
      await this.#client.close()
      this.#ended.resolve()
    })()
    return this.#closing
  }

  async #fromClient(message: JSONRPCMessage): Promise<void> {
    if (isJSONRPCRequest(message)) {
      if (isInitializeRequest(message)) this.#greeting = message
      await this.#answer(message)
      return
    }
    if ('method' in message && message.method === 'notifications/cancelled') {
      const { success, output } = v.safeParse(Cancelled, message.params)
      if (success && this.#calls.has(output.requestId)) {
        await this.#cancel(output.requestId, undefined, message)
        return
      }
    }
    if (isInitializedNotification(message)) this.#doubt = Promise.withResolvers()
    await this.#send(message).catch((error: unknown) => {
      this.#doubt?.resolve()
      this.#log(`lost: ${describe(error)}`)
    })
  }

  #fromEndpoint(message: JSONRPCMessage): void {
    if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) {
      const call = message.id === undefined ? undefined : this.#calls.get(message.id)
      // Nobody waits for it: it was cancelled.
      if (call === undefined) return
      if ('result' in message) this.#learn(call.request, message.result)
      this.#calls.delete(call.request.id)
      call.answered.resolve('answered')
      if (call.request !== this.#renewing) this.#toClient(message)
      return
    }
    this.#toClient(message)
  }

  #toClient(message: JSONRPCMessage): void {
    this.#client.send(message).catch((error: unknown) => this.#log(`client: ${describe(error)}`))
  }

  #learn({ method }: JSONRPCRequest, result: unknown): void {
    if (method === 'tools/list') this.#repeatable.learn(result)
    if (method !== 'initialize') return
    const { success, output } = v.safeParse(Initialized, result)
    if (success) this.#http.setProtocolVersion(output.protocolVersion)
  }

  /** Sends a request until it is answered, cancelled, or cannot be; then the client is told why. */
  async #answer(request: JSONRPCRequest): Promise<void> {
    const call: Call = { request, abort: new AbortController(), answered: Promise.withResolvers() }
    this.#calls.set(request.id, call)
    const isGreeting = request.method === 'initialize' || request.method === 'server/discover'
    const patienceMs = isGreeting ? GREETING_PATIENCE_MS : PATIENCE_MS
    let failingSince: number | null = null
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, DELAY_MS_MAX)) {
      if (!isModern(request) && request.method !== 'initialize') await this.#sessionIsKnown(call.abort.signal)
      if (call.abort.signal.aborted) return
      const startedAt = performance.now()
      const failure = await this.#attempt(call)
      if (failure === undefined) return
      // A stream that has served for long and ends is a new trouble, not the old one.
      if (performance.now() - startedAt > patienceMs) failingSince = null
      failingSince ??= performance.now()
      const isPatient = performance.now() - failingSince + delayMs < patienceMs
      if (!isPatient || !(await this.#mayTryAgain(request, failure))) {
        this.#refuse(call, failure)
        return
      }
      this.#log(
        `${request.method}: ${failure.kind === 'forgotten' ? failure.kind : `${failure.kind} (${'reason' in failure ? failure.reason : ''})`}, trying again`,
      )
      await setTimeout(delayMs, undefined, { signal: call.abort.signal }).catch(() => undefined)
      if (call.abort.signal.aborted) return
    }
  }

  /** Waits while it is in doubt, but no longer than a request is tried. */
  async #sessionIsKnown(signal: AbortSignal): Promise<void> {
    if (this.#doubt === undefined) return
    const timer = setTimeout(PATIENCE_MS, undefined, { ref: false, signal }).catch(() => undefined)
    await Promise.race([this.#doubt.promise, timer])
  }

  async #mayTryAgain(request: JSONRPCRequest, failure: Failure): Promise<boolean> {
    switch (failure.kind) {
      case 'refused':
        return false
      case 'unreached':
        return true
      case 'cut':
        return this.#repeatable.allows(request)
      case 'forgotten':
        if (this.#greeting === undefined || request.method === 'initialize') return false
        await this.#renew()
        return true
    }
  }

  /** Undefined when it was answered or nobody waits for it any more. */
  async #attempt({ request, abort: { signal }, answered }: Call): Promise<Failure | undefined> {
    const ended = Promise.withResolvers<'ended'>()
    const gone = new Promise<'gone'>((resolve) =>
      signal.addEventListener('abort', () => resolve('gone'), { once: true }),
    )
    try {
      await this.#http.send(request, { requestSignal: signal, onRequestStreamEnd: () => ended.resolve('ended') })
      const outcome = await Promise.race([answered.promise, gone, ended.promise])
      // The stream's end may be heard of before the answer that it brought.
      return outcome === 'ended' && this.#calls.has(request.id)
        ? { kind: 'cut', reason: 'the answer ended before its time' }
        : undefined
    } catch (error) {
      return signal.aborted || !this.#calls.has(request.id) ? undefined : toFailure(error)
    }
  }

  #refuse({ request, answered }: Call, failure: Failure): void {
    if (!this.#calls.delete(request.id)) return
    const error = toRefusal(failure, this.#url, request.method)
    this.#log(`${request.method}: ${error.message}`)
    answered.resolve('answered')
    if (request === this.#renewing) return
    this.#toClient({
      jsonrpc: '2.0',
      id: request.id,
      error: { code: TRANSPORT_ERROR, message: error.message, data: error.toWire() },
    })
  }

  /**
   * Ends a call, and with it the job that it waits for. By revision 2026-07-28 that is the end of its stream; before, a message of
   * its own, for which the stream must not have ended first.
   */
  async #cancel(requestId: RequestId, reason: string | undefined, told?: JSONRPCMessage): Promise<void> {
    const call = this.#calls.get(requestId)
    if (call === undefined) return
    this.#calls.delete(requestId)
    if (!isModern(call.request)) {
      const message: JSONRPCNotification = {
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId, ...(reason === undefined ? {} : { reason }) },
      }
      await this.#send(told ?? message).catch((error: unknown) => this.#log(`cancel: ${describe(error)}`))
    }
    call.abort.abort()
  }

  /** Sends what has no answer, again while the endpoint cannot be reached. Rejects with the last failure. */
  async #send(message: JSONRPCMessage): Promise<void> {
    const giveUpAt = performance.now() + PATIENCE_MS
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, DELAY_MS_MAX)) {
      try {
        await this.#http.send(message)
        return
      } catch (error) {
        const isPassing = toFailure(error).kind === 'unreached' && this.#closing === undefined
        if (!isPassing || performance.now() + delayMs > giveUpAt) throw error
        await setTimeout(delayMs)
      }
    }
  }

  #renewing: JSONRPCRequest | undefined

  /** Says the client's hello once more, without the client: for an endpoint that was restarted. One at a time. */
  #renew(): Promise<void> {
    const greeting = this.#greeting
    if (greeting === undefined || this.#closing !== undefined) return Promise.resolve()
    this.#renewal ??= (async () => {
      this.#log('the endpoint has forgotten the session: beginning it anew')
      this.#renewing = { ...greeting, id: `millwright-mcp-${crypto.randomUUID()}` }
      await this.#answer(this.#renewing)
      // Opens the new session's stream, which settles what is in doubt.
      await this.#send({ jsonrpc: '2.0', method: 'notifications/initialized' }).catch((error: unknown) => {
        this.#doubt?.resolve()
        this.#log(`session: ${describe(error)}`)
      })
    })().finally(() => {
      this.#renewing = undefined
      this.#renewal = undefined
    })
    return this.#renewal
  }
}

/** Whether a request is of revision 2026-07-28 or later, which says so in itself. */
function isModern({ params }: JSONRPCRequest): boolean {
  return typeof params?._meta?.[PROTOCOL_VERSION_META_KEY] === 'string'
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300)
