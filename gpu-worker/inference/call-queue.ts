/** A call that waits or runs. `attempts` counts the processes that it was given to. */
export interface QueuedCall {
  /** Takes one of the model's slots while it runs. */
  readonly takesSlot: boolean
  /** Who asks: calls of one key take turns with those of the others. */
  readonly key: string
  attempts: number
}

/** A key that was forgotten counts as a new one, whose turn is next. */
const KEYS_REMEMBERED_MAX = 1000

/**
 * Calls that wait for the model, and those that it has. Callers take turns: the next call is that of the key with the
 * fewest at work, then of the key whose turn is longest ago, then in order of arrival. A call whose process died runs
 * alone, so that one that kills the process is found out and takes no other with it a second time.
 */
export class CallQueue<Call extends QueuedCall> {
  readonly #waiting: Call[] = []
  readonly #running = new Set<Call>()
  readonly #waitingMax: number
  /** By key: when it last had its turn. The longest ago comes first. */
  readonly #turns = new Map<string, number>()
  #turn = 0

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax
  }

  get size(): number {
    return this.#waiting.length + this.#running.size
  }

  get full(): boolean {
    return this.#waiting.length >= this.#waitingMax
  }

  isRunning(call: Call): boolean {
    return this.#running.has(call)
  }

  add(call: Call): void {
    this.#waiting.push(call)
  }

  /** The next call that may run, now counted as running; undefined where there is none. */
  next(slots: number): Call | undefined {
    const call = this.#waiting.find(({ takesSlot }) => !takesSlot) ?? this.#nextForSlot(slots)
    if (call === undefined) return undefined
    this.#waiting.splice(this.#waiting.indexOf(call), 1)
    this.#running.add(call)
    if (call.takesSlot) this.#noteTurn(call.key)
    return call
  }

  #nextForSlot(slots: number): Call | undefined {
    const running = [...this.#running].filter(({ takesSlot }) => takesSlot)
    if (running.length >= slots || running.some(({ attempts }) => attempts > 1)) return undefined
    const interrupted = this.#waiting.find(({ attempts }) => attempts > 0)
    if (interrupted !== undefined) return running.length === 0 ? interrupted : undefined
    const atWork = (key: string): number => running.filter((call) => call.key === key).length
    const lastTurn = (key: string): number => this.#turns.get(key) ?? 0
    return this.#waiting.toSorted(
      (one, other) => atWork(one.key) - atWork(other.key) || lastTurn(one.key) - lastTurn(other.key),
    )[0]
  }

  #noteTurn(key: string): void {
    this.#turns.delete(key)
    this.#turns.set(key, ++this.#turn)
    const [oldest] = this.#turns.keys()
    if (this.#turns.size > KEYS_REMEMBERED_MAX && oldest !== undefined) this.#turns.delete(oldest)
  }

  /** Back to the head of the queue: it has waited already. */
  putBack(call: Call): void {
    this.#running.delete(call)
    this.#waiting.unshift(call)
  }

  remove(call: Call): void {
    this.#running.delete(call)
    const index = this.#waiting.indexOf(call)
    if (index !== -1) this.#waiting.splice(index, 1)
  }

  waiting(): Call[] {
    return [...this.#waiting]
  }

  all(): Call[] {
    return [...this.#running, ...this.#waiting]
  }
}
