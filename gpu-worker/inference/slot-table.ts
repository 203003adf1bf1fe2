interface Slot {
  /** Whose tokens it holds; null before its first use. */
  key: string | null
  busy: boolean
  /** Counts up with every release. */
  usedAt: number
}

/**
 * Which slot of a context serves which caller. A caller comes back to the slot that still holds its last conversation;
 * a new one gets the lowest unused slot, so that the slots in use are neighbours, and then the least recently used one.
 */
export class SlotTable {
  readonly #slots: Slot[]
  #clock = 0

  constructor(count: number) {
    this.#slots = Array.from({ length: count }, () => ({ key: null, busy: false, usedAt: 0 }))
  }

  /** The number of the slot, from 0; the caller's until `release`. Throws where all are taken. */
  take(key: string): number {
    const free = this.#slots.filter(({ busy }) => !busy)
    const own = free.find((slot) => slot.key === key)
    const chosen = own ?? free.toSorted((one, other) => one.usedAt - other.usedAt)[0]
    if (chosen === undefined) throw new Error('All slots of the context are taken')
    chosen.key = key
    chosen.busy = true
    return this.#slots.indexOf(chosen)
  }

  release(number: number): void {
    const slot = this.#slots[number]
    if (slot === undefined) throw new Error(`There is no slot ${number}`)
    slot.busy = false
    slot.usedAt = ++this.#clock
  }
}
