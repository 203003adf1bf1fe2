/** A call that waits or runs. `attempts` counts the processes that it was given to. */
export interface QueuedCall {
  /** Takes one of the model's slots while it runs. */
  readonly takesSlot: boolean
  attempts: number
}

/** Calls in order of arrival, as many at work as the model has slots. */
export class CallQueue<Call extends QueuedCall> {
  readonly #waiting: Call[] = []
  readonly #running = new Set<Call>()
  readonly #waitingMax: number

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
    const used = [...this.#running].filter((call) => call.takesSlot).length
    const index = this.#waiting.findIndex((call) => !call.takesSlot || used < slots)
    if (index === -1) return undefined
    const [call] = this.#waiting.splice(index, 1)
    if (call !== undefined) this.#running.add(call)
    return call
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
