import * as v from 'valibot'

/**
 * How keys and values of evaluated tokens are kept. `f16` is llama.cpp's own default. `q8_0` takes 0.6 of the memory
 * (a context of 8 x 4,096 tokens of a 7B model: 1.3 GB instead of 2.2), which is worth having where it decides between
 * a larger context and none; but on a CPU it doubles the time of a prompt. On a GPU it is not measured. So it is a
 * person's choice, never ours.
 */
export const KvCache = v.picklist(['f16', 'q8_0'])
export type KvCache = v.InferOutput<typeof KvCache>

/** As the engine takes it: nothing for its default. */
export const toEngineKvCache = (setting: KvCache) =>
  setting === 'f16' ? {} : ({ experimentalKvCacheKeyType: 'Q8_0', experimentalKvCacheValueType: 'Q8_0' } as const)
