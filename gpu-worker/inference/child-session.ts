import { AppError } from '#shared/errors.ts'
import type { ChildProgress, ChildReply, ChildRequest, ChildStatus } from './child-protocol.ts'
import type { ModelChild, SpawnModelChild } from './model-child.ts'

/** A request as the caller writes it; the session numbers it. */
export type Unnumbered<Request> = Request extends { id: number } ? Omit<Request, 'id'> : never
type AskedRequest = Unnumbered<Exclude<ChildRequest, { kind: 'abort' }>>

/** The process is gone, or was ended because it went silent. */
export class ChildDied extends Error {
  override readonly name = 'ChildDied'
  readonly log: string[]
  constructor(how: string, log: string[]) {
    super(how)
    this.log = log
  }
}

interface Pending {
  readonly resolve: (reply: ChildReply) => void
  readonly reject: (error: Error) => void
  readonly onProgress: ((progress: ChildProgress) => void) | undefined
  readonly silenceMsMax: number
  lastSign: number
}

export interface AskOptions {
  readonly onProgress?: (progress: ChildProgress) => void
  /** Longest time without a reply or progress before the process is taken as hung, and killed. */
  readonly silenceMsMax: number
}

export interface Asked {
  readonly id: number
  /** Rejects with the AppError that the child refused with, or with ChildDied. */
  readonly reply: Promise<ChildReply>
}

/** One life of a child process: requests are matched with replies, and silence during work ends it. */
export class ChildSession {
  /** Settles when the process is gone, with how it went. Never rejects. */
  readonly exited: Promise<string>
  status: ChildStatus | null = null
  readonly #child: ModelChild
  readonly #pending = new Map<number, Pending>()
  readonly #watchdog: NodeJS.Timeout
  #nextId = 1
  #killedBecause: string | null = null
  #dead: ChildDied | null = null

  constructor(spawn: SpawnModelChild) {
    const exit = Promise.withResolvers<string>()
    this.exited = exit.promise
    this.#child = spawn({
      onMessage: (message) => {
        if (message.kind === 'status') this.status = message
        else this.#deliver(message)
      },
      onExit: (how) => {
        clearInterval(this.#watchdog)
        this.#dead = new ChildDied(this.#killedBecause ?? how, this.#child.logTail())
        this.status = null
        for (const pending of this.#pending.values()) pending.reject(this.#dead)
        this.#pending.clear()
        exit.resolve(this.#dead.message)
      },
    })
    this.#watchdog = setInterval(() => this.#watch(), 250)
    this.#watchdog.unref()
  }

  get processId(): number | null {
    return this.#child.processId
  }

  get alive(): boolean {
    return this.#dead === null && this.#killedBecause === null
  }

  ask(request: AskedRequest, options: AskOptions): Asked {
    const id = this.#nextId++
    const { promise, resolve, reject } = Promise.withResolvers<ChildReply>()
    if (this.#dead !== null) reject(this.#dead)
    else {
      this.#pending.set(id, {
        resolve,
        reject,
        onProgress: options.onProgress,
        silenceMsMax: options.silenceMsMax,
        lastSign: performance.now(),
      })
      this.#child.send({ ...request, id })
    }
    return { id, reply: promise }
  }

  abort(id: number): void {
    this.#child.send({ kind: 'abort', id })
  }

  kill(because: string): void {
    this.#killedBecause ??= because
    this.#child.kill()
  }

  logTail(): string[] {
    return this.#child.logTail()
  }

  #deliver(message: ChildReply | ChildProgress): void {
    const pending = this.#pending.get(message.id)
    if (pending === undefined) return
    pending.lastSign = performance.now()
    switch (message.kind) {
      case 'downloading':
      case 'loading':
      case 'generating':
        pending.onProgress?.(message)
        return
      case 'refused':
        this.#pending.delete(message.id)
        pending.reject(AppError.fromWire(message.error))
        return
      default:
        this.#pending.delete(message.id)
        pending.resolve(message)
    }
  }

  #watch(): void {
    const now = performance.now()
    for (const { lastSign, silenceMsMax } of this.#pending.values()) {
      if (now - lastSign > silenceMsMax) {
        this.kill(`gave no sign of life for ${Math.round(silenceMsMax / 1000)} s and was ended`)
        return
      }
    }
  }
}
