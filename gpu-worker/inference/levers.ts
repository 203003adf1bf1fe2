import * as v from 'valibot'
import { FlashAttention } from './flash-attention.ts'
import { KvCache } from './kv-cache.ts'

/** What makes a model faster or smaller, as far as a person may choose it. */
export const Levers = v.strictObject({
  /** Guess tokens that the answer may copy from its prompt, see lookup.ts. */
  promptLookup: v.boolean(),
  flashAttention: FlashAttention,
  kvCache: KvCache,
  /** The .gguf file of a smaller model of the same vocabulary, which guesses where there is nothing to copy. */
  draftModel: v.nullable(v.string()),
})
export type Levers = v.InferOutput<typeof Levers>

export const LEVERS_DEFAULT: Levers = {
  promptLookup: true,
  flashAttention: 'auto',
  kvCache: 'f16',
  draftModel: null,
}
