import type { ChildMessage, ChildRequest } from './child-protocol.ts'

/** What a supervisor is told of a child. `onExit` is called once, after the last message. */
export interface ModelChildEvents {
  onMessage(message: ChildMessage): void
  /** `how` reads after "the model process ...": `exited with code 1`, `was killed (SIGKILL)`. */
  onExit(how: string): void
}

/** A process that holds, or will hold, a model. */
export interface ModelChild {
  /** Null when it could not be started. */
  readonly processId: number | null
  /** Never throws; what is sent to a dead child is lost, and `onExit` tells. */
  send(request: ChildRequest): void
  /** At once and for certain. `onExit` follows. */
  kill(): void
  /** The end of its log, without folders. */
  logTail(): string[]
}

export type SpawnModelChild = (events: ModelChildEvents) => ModelChild
