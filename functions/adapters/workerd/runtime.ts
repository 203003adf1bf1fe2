// The part of the Workers runtime that we use. Its own type package declares a whole platform, whose globals
// contradict Node's; this is what the adapters beside it touch.

/** A row's values as Durable Object storage gives them. */
export type StoredValue = ArrayBuffer | string | number | null

export interface ObjectStorage {
  readonly sql: {
    exec(statement: string, ...values: StoredValue[]): { toArray(): Record<string, StoredValue>[] }
  }
  /** All of `work` or nothing. `work` must not wait for anything. */
  transactionSync<T>(work: () => T): T
  /** Epoch milliseconds, or null where none is set. */
  getAlarm(): Promise<number | null>
  setAlarm(scheduledAtMs: number): Promise<void>
}

/** The same storage by keys. What is put may be asked for at once, and is on its disk before an answer leaves the object. */
export interface KeyedStorage extends ObjectStorage {
  get<Value>(key: string): Promise<Value | undefined>
  put(key: string, value: unknown): Promise<void>
  delete(key: string): Promise<boolean>
  deleteAll(): Promise<void>
}

export interface ObjectState {
  readonly storage: ObjectStorage
}

export interface KeyedState {
  readonly id: ObjectId
  readonly storage: KeyedStorage
}

/** The objects of one class. A stub belongs to the request in which it was made: make one for each call. */
export interface ObjectNamespace<Stub> {
  idFromName(name: string): ObjectId
  get(id: ObjectId): Stub
}

/** Objects that have no name: whoever knows the id of one has it from us. */
export interface UnnamedObjects<Stub> {
  /** 256 bits: nobody guesses one. */
  newUniqueId(): ObjectId
  /** Throws for what was not made by `newUniqueId` of this very class. */
  idFromString(id: string): ObjectId
  get(id: ObjectId): Stub
}

/** Opaque; may be kept. */
export interface ObjectId {
  toString(): string
}

export interface RequestContext {
  /** Keeps the request's work alive after its answer, or its client, is gone. For 30 seconds at most. */
  waitUntil(promise: Promise<unknown>): void
}

/** Something of another object or request, held until it is disposed of. */
export interface Held {
  [Symbol.dispose](): void
}

/** Something that another object tells us, until it is disposed of. */
export interface RemoteWatch extends Held {
  /** Rejects where the object that tells us, or the way to it, is gone. */
  check(): Promise<void>
}

/** A function that was passed from elsewhere. Given up when the call ends that brought it, unless it is kept. */
export interface RemoteFunction<Values extends unknown[]> {
  (...values: Values): Promise<void>
  dup(): RemoteFunction<Values> & Held
}

/** The half of a WebSocket that we keep. */
export interface ServerSocket {
  accept(): void
  send(text: string): void
  close(code: number, reason: string): void
  addEventListener(event: 'close' | 'error', listener: () => void): void
}
