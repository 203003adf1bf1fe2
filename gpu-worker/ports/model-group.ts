import type { ModelAnswer, ModelAsk, ModelControl, ModelMember } from '#shared/protocol/model-group.ts'

/** One call at a member. */
export interface ModelExchange {
  /** Best effort. */
  say(word: ModelControl['say']): void
  /** Hears no more of it. */
  close(): void
}

/** The model workers of a workspace, wherever they run. */
export interface ModelGroup {
  /** Who is there now: asks all and waits a moment for the last of them. Never rejects. */
  find(): Promise<readonly ModelMember[]>
  /**
   * Sends work to the group of the model's name, or to one member. `onAnswer` hears what comes back, or null where nobody
   * listens. Throws AppError `too_large` before anything is sent, `unavailable` where nothing can be.
   */
  ask(ask: ModelAsk, member: string | null, onAnswer: (answer: ModelAnswer | null) => void): ModelExchange
}

/** Work as a member gets it. */
export interface ReceivedAsk {
  readonly workspace: string
  readonly ask: ModelAsk
  /** Best effort; too large an answer goes as a refusal that says so. */
  readonly answer: (answer: ModelAnswer) => void
}

/** What the model workers of this group are asked. One per worker. */
export interface ModelGroupServer {
  serve(handlers: {
    /** Names that this worker serves; they may change, as when the machine has chosen a model. */
    readonly names: () => readonly string[]
    readonly describe: () => ModelMember
    readonly onAsk: (received: ReceivedAsk) => void
    readonly onControl: (call: string, word: ModelControl['say']) => void
  }): Promise<void>
  /** Takes no more asks; words about calls under way are still heard. */
  stop(): Promise<void>
}
