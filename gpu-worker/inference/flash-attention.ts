import * as v from 'valibot'

/**
 * `auto`, the engine's own default, uses flash attention wherever the model and the hardware have it.
 *
 * CPU: on, because without it a prompt of 1,500 tokens takes a third longer. The price is that a token near a tie may
 * come out otherwise when its prompt was cut into other pieces, since 64 tokens at once go another way than fewer; the
 * answer to the same call is as good, only not the same to the last bit. Who needs that more than speed says `off`.
 * GPU: not measured. llama.cpp recommends it there, and needs it for a quantised cache.
 */
export const FlashAttention = v.picklist(['auto', 'on', 'off'])
export type FlashAttention = v.InferOutput<typeof FlashAttention>

/** As the engine takes it. */
export const toEngineFlashAttention = (setting: FlashAttention): 'auto' | boolean =>
  setting === 'auto' ? 'auto' : setting === 'on'
