import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LlamaContextSequence, Token } from 'node-llama-cpp'
import type { Intermission } from '../inference/intermission.ts'
import { StateShelf, type StoredState } from '../inference/state-shelf.ts'
import { nameState, readChecksum } from './state-file.ts'

export interface SlotStatesOptions {
  /** Private, and this process's alone: whoever started the process made it, and removes it with all that is in it. */
  readonly folder: string
  readonly bytesMax: number
  /** Differs wherever a state of one could not go on in the other: the model's file and the context's settings. */
  readonly engine: string
  readonly sequences: readonly LlamaContextSequence[]
  readonly intermission: Intermission
}

export interface SlotTaker {
  readonly slot: number
  readonly key: string
  readonly prompt: readonly Token[]
  readonly signal: AbortSignal
}

/** Agents call in bursts; nothing is written between two calls of one. */
const IDLE_MS = 500
/** A full disk is not asked again at once. */
const PAUSE_AFTER_FAILURE_MS = 60_000

/**
 * Lets more callers keep their prompts than there are slots: what a slot held leaves as a file when it is given to another
 * caller, and comes back when that is cheaper than evaluating. Nothing depends on the files: one that cannot be written,
 * is gone or is damaged means evaluating again.
 */
export class SlotStates {
  readonly #options: SlotStatesOptions
  readonly #shelf: StateShelf
  /** By slot: whose tokens it holds. The least recently used comes first. */
  readonly #holders = new Map<number, string>()
  readonly #atWork = new Set<number>()
  /** By owner: what was written, and is not on the shelf yet. These never reject. */
  readonly #unchecked = new Map<string, Promise<void>>()
  /** Of a file that is being written while nobody calls. Never rejects. */
  #idleWrite = Promise.resolve()
  #idleTimer: NodeJS.Timeout | undefined
  /** Whether a caller has ever had to give way. Before that nothing is written ahead. */
  #crowded = false
  #bytesPerToken = 0
  #pausedUntil = 0

  constructor(options: SlotStatesOptions) {
    this.#options = options
    this.#shelf = new StateShelf(options.bytesMax)
  }

  /**
   * To be called when a slot was taken, and before its sequence is touched: writes down what another caller would lose, and
   * brings back what this one had. `leave` must follow, also where this rejects, as it does when the signal is aborted.
   */
  async enter({ slot, key, prompt, signal }: SlotTaker): Promise<void> {
    this.#atWork.add(slot)
    clearTimeout(this.#idleTimer)
    // It may be this slot that is being written.
    await this.#idleWrite
    const sequence = this.#sequence(slot)
    const owner = this.#holders.get(slot)
    this.#holders.delete(slot)
    this.#holders.set(slot, key)
    if (owner !== undefined && owner !== key) await this.#write(sequence, owner, prompt)
    await this.#unchecked.get(key)
    const better = this.#shelf.findBetter(prompt, sequence.contextTokens)
    if (better !== null) await this.#read(sequence, better, signal)
    signal.throwIfAborted()
  }

  /** The slot is free, and keeps what it holds. */
  leave(slot: number): void {
    this.#atWork.delete(slot)
    if (!this.#crowded || this.#atWork.size > 0) return
    clearTimeout(this.#idleTimer)
    this.#idleTimer = setTimeout(() => {
      this.#idleWrite = this.#writeAhead()
    }, IDLE_MS)
    this.#idleTimer.unref()
  }

  /** Writes what the slots hold while nobody waits for it, so that a slot can be given away at once. */
  async #writeAhead(): Promise<void> {
    for (const [slot, owner] of [...this.#holders]) {
      if (this.#atWork.size > 0) return
      await this.#write(this.#sequence(slot), owner, [])
      await this.#unchecked.get(owner)
    }
  }

  /** Never rejects. Nothing else touches the sequence meanwhile. */
  async #write(sequence: LlamaContextSequence, owner: string, prompt: readonly Token[]): Promise<void> {
    const { folder, intermission } = this.#options
    if (performance.now() < this.#pausedUntil || !this.#shelf.isWorthWriting(sequence.contextTokens, prompt)) return
    this.#crowded = true
    // Predicted tokens lie behind those that count, and are dropped with the last of these only.
    const { length } = sequence.contextTokens
    const temporary = join(folder, `${randomUUID()}.part`)
    try {
      await this.#delete(this.#shelf.makeRoom(owner, length * this.#bytesPerToken))
      const { tokens, fileSize } = await intermission.during(async () => {
        if (sequence.tokenPredictor != null)
          await sequence.eraseContextTokenRanges([{ start: length - 1, end: length }])
        // The engine opens what is there, with the rights that it has.
        await (await open(temporary, 'wx', 0o600)).close()
        return { tokens: sequence.contextTokens, ...(await sequence.saveStateToFile(temporary)) }
      })
      this.#bytesPerToken = fileSize / tokens.length
      // The caller that takes the slot need not wait for the rest.
      this.#noteUnchecked(owner, this.#shelve(temporary, owner, tokens, fileSize))
    } catch {
      await this.#giveUp(temporary)
    }
  }

  #noteUnchecked(owner: string, shelved: Promise<void>): void {
    const all = Promise.all([this.#unchecked.get(owner), shelved]).then(() => {
      if (this.#unchecked.get(owner) === all) this.#unchecked.delete(owner)
    })
    this.#unchecked.set(owner, all)
  }

  /** Never rejects. `fileSize` is what the engine has written, as far as it knows. */
  async #shelve(temporary: string, owner: string, tokens: readonly Token[], fileSize: number): Promise<void> {
    try {
      const { bytes, checksum } = await readChecksum(temporary)
      // The last bytes are written when the engine closes the file, and nobody is told when they find no room.
      if (bytes !== fileSize) throw new Error('The state file is not whole')
      const file = nameState(this.#options.engine, tokens)
      await rename(temporary, join(this.#options.folder, file))
      await this.#delete(this.#shelf.add({ file, owner, tokens, bytes, checksum }))
    } catch {
      await this.#giveUp(temporary)
    }
  }

  async #giveUp(temporary: string): Promise<void> {
    this.#pausedUntil = performance.now() + PAUSE_AFTER_FAILURE_MS
    await rm(temporary, { force: true }).catch(() => {})
  }

  /** Rejects only when the signal is aborted. */
  async #read(sequence: LlamaContextSequence, state: StoredState, signal: AbortSignal): Promise<void> {
    const { folder, intermission } = this.#options
    const path = join(folder, state.file)
    try {
      const { bytes, checksum } = await readChecksum(path, signal)
      if (bytes !== state.bytes || checksum !== state.checksum) throw new Error('The state file has changed')
      await intermission.during(async () => {
        // Where reading fails, what the engine held stays, and the library takes the sequence for empty.
        await sequence.clearHistory()
        await sequence.loadStateFromFile(path, { acceptRisk: true })
      })
      this.#shelf.touch(state)
    } catch {
      signal.throwIfAborted()
      this.#shelf.remove(state)
      await this.#delete([state])
    }
  }

  /** A file that cannot be deleted now goes with the folder. */
  async #delete(states: readonly StoredState[]): Promise<void> {
    const { folder } = this.#options
    await Promise.all(states.map(({ file }) => rm(join(folder, file), { force: true }).catch(() => {})))
  }

  #sequence(slot: number): LlamaContextSequence {
    const sequence = this.#options.sequences[slot]
    if (sequence === undefined) throw new Error(`There is no sequence for slot ${slot}`)
    return sequence
  }
}
