import * as v from 'valibot'

/** What the bench and the process that uses the library alone say to each other. */

const Loaded = v.strictObject({ kind: v.literal('loaded') })

export const LibraryRequest = v.variant('kind', [
  v.strictObject({
    kind: v.literal('load'),
    modelFile: v.string(),
    slots: v.number(),
    contextTokens: v.number(),
  }),
  v.strictObject({
    kind: v.literal('generate'),
    id: v.number(),
    /** Which sequence of the context. */
    slot: v.number(),
    /** With the model's control tokens in it. */
    prompt: v.string(),
    answerTokensMax: v.number(),
    /** Forgets what the sequence holds; otherwise what it shares with the prompt is used again. */
    fresh: v.boolean(),
  }),
])
export type LibraryRequest = v.InferOutput<typeof LibraryRequest>

const LibraryAnswer = v.strictObject({
  kind: v.literal('generated'),
  id: v.number(),
  promptTokens: v.number(),
  answerTokens: v.number(),
  /** From when the request was read to the first token, and to the last. */
  firstTokenMs: v.number(),
  totalMs: v.number(),
})
export type LibraryAnswer = v.InferOutput<typeof LibraryAnswer>

export const LibraryMessage = v.variant('kind', [Loaded, LibraryAnswer])
export type LibraryMessage = v.InferOutput<typeof LibraryMessage>
