import * as v from 'valibot'
import { WireError } from '#shared/errors.ts'
import { Levers } from './levers.ts'

/**
 * What the daemon and the process that holds the model say to each other. Every request has an id, and gets exactly one
 * reply with that id unless the process dies; several may be in flight.
 */
const RequestId = v.number()

/** A form of the answer, ready for the engine; JSON has been turned into GBNF. */
const Grammar = v.variant('kind', [
  v.strictObject({ kind: v.literal('gbnf'), text: v.string() }),
  v.strictObject({ kind: v.literal('edits'), lines: v.number(), info: v.string(), fenceLength: v.number() }),
])
export type ChildGrammar = v.InferOutput<typeof Grammar>

const Turn = v.strictObject({ role: v.picklist(['system', 'user', 'assistant']), text: v.string() })

export const ChildRequest = v.variant('kind', [
  /** What machine is this? Answered before any model is loaded. */
  v.strictObject({ kind: v.literal('probe'), id: RequestId }),
  /** Finds the file of a URI in the folder, or downloads it there. */
  v.strictObject({ kind: v.literal('download'), id: RequestId, uri: v.string(), folder: v.string() }),
  v.strictObject({
    kind: v.literal('load'),
    id: RequestId,
    path: v.string(),
    /** Null lets the child choose by cores and load. */
    threads: v.nullable(v.number()),
    contextTokensMax: v.number(),
    /** Null lets the child choose by memory. */
    slots: v.nullable(v.number()),
    levers: Levers,
  }),
  v.strictObject({
    kind: v.literal('generate'),
    id: RequestId,
    turns: v.array(Turn),
    /** Calls of one key are given the same slot, where it can be had. */
    cacheKey: v.string(),
    answerTokensMax: v.number(),
    temperature: v.number(),
    grammar: v.nullable(Grammar),
  }),
  v.strictObject({ kind: v.literal('count'), id: RequestId, text: v.string() }),
  /** The request with this id shall end; it is answered with `cancelled`. Itself it has no reply. */
  v.strictObject({ kind: v.literal('abort'), id: RequestId }),
])
export type ChildRequest = v.InferOutput<typeof ChildRequest>

const Gpu = v.strictObject({ name: v.string(), memoryBytes: v.number(), memoryUsedBytes: v.number() })

/** What decides which model fits. Memory in bytes. */
export const Machine = v.strictObject({
  gpu: v.nullable(Gpu),
  memoryFreeBytes: v.number(),
  mathCores: v.number(),
})
export type Machine = v.InferOutput<typeof Machine>

export const ChildReply = v.variant('kind', [
  v.strictObject({ kind: v.literal('machine'), id: RequestId, machine: Machine }),
  v.strictObject({ kind: v.literal('downloaded'), id: RequestId, path: v.string() }),
  v.strictObject({
    kind: v.literal('loaded'),
    id: RequestId,
    contextTokens: v.number(),
    /** Answers that can be generated at the same time. */
    slots: v.number(),
    threads: v.number(),
    gpuLayers: v.number(),
  }),
  v.strictObject({
    kind: v.literal('answer'),
    id: RequestId,
    text: v.string(),
    stopReason: v.picklist(['end', 'length']),
    promptTokens: v.number(),
    /** Of the prompt: those that the slot still held, and that were not evaluated again. */
    cachedTokens: v.number(),
    answerTokens: v.number(),
    timeToFirstTokenMs: v.nullable(v.number()),
    tokensPerSecond: v.nullable(v.number()),
  }),
  v.strictObject({ kind: v.literal('counted'), id: RequestId, tokens: v.number() }),
  v.strictObject({ kind: v.literal('refused'), id: RequestId, error: WireError }),
])
export type ChildReply = v.InferOutput<typeof ChildReply>

/** Sent while a request is worked on, and only when the work got on: silence means that it hangs. */
export const ChildProgress = v.variant('kind', [
  v.strictObject({
    kind: v.literal('downloading'),
    id: RequestId,
    bytes: v.number(),
    bytesTotal: v.nullable(v.number()),
  }),
  v.strictObject({ kind: v.literal('loading'), id: RequestId, fraction: v.number() }),
  v.strictObject({
    kind: v.literal('generating'),
    id: RequestId,
    phase: v.picklist(['prompt', 'generating']),
    tokens: v.number(),
    promptTokens: v.number(),
    promptTokensTotal: v.number(),
    /** The end of the answer so far, as `answerTail` cuts it. */
    tail: v.string(),
  }),
])
export type ChildProgress = v.InferOutput<typeof ChildProgress>

/** Sent by the clock, so it says nothing about whether the work gets on. */
const ChildStatus = v.strictObject({
  kind: v.literal('status'),
  residentBytes: v.number(),
  gpu: v.nullable(Gpu),
})
export type ChildStatus = v.InferOutput<typeof ChildStatus>

export const ChildMessage = v.union([ChildReply, ChildProgress, ChildStatus])
export type ChildMessage = v.InferOutput<typeof ChildMessage>
