/** Jobs that a worker does at once. More slots would share the same speed, and take memory. */
const SLOTS_MAX_DEFAULT = 4
/** A context too small for a file and its answer is that of a toy. */
const CONTEXT_TOKENS_SHARED_MIN = 1024
/** The rest is for the engine's own buffers, and for whatever draws the screen. */
const GPU_MEMORY_SHARE = 0.9
/** The rest is for the repository's checks, and for what else runs on the machine. */
const MEMORY_SHARE = 0.5

/** In bytes. */
export interface ContextMemory {
  readonly gpu: number
  readonly main: number
}

export interface SlotCountOptions {
  /** Of each slot. */
  readonly contextTokens: number
  /** What is free now; the GPU's is 0 where there is none. */
  readonly free: ContextMemory
  /** What a context with so many slots takes. */
  readonly estimate: (slots: number) => Promise<ContextMemory>
}

/**
 * How many conversations the model holds at once: as many as are of use and fit. One that fits is better than two that
 * are cut, so a slot is never made smaller to have more of them.
 *
 * Not by speed, though some quantisations are slow in small batches: with Q8_0 on a CPU a batch of two tokens gives 0.8 of
 * the tokens per second of one, and a batch of four 1.2 (Q4_0: 1.0 and 1.25 in the same run, on a busy machine). Fewer slots
 * would save that loss while just two agents work, and cost every agent beyond them the prompt that its slot keeps,
 * seconds at each turn. The bench's group `levers` shows both.
 */
export async function chooseSlotCount({ contextTokens, free, estimate }: SlotCountOptions): Promise<number> {
  if (contextTokens < CONTEXT_TOKENS_SHARED_MIN) return 1
  for (let slots = SLOTS_MAX_DEFAULT; slots > 1; slots--) {
    const needed = await estimate(slots)
    if (needed.gpu <= free.gpu * GPU_MEMORY_SHARE && needed.main <= free.main * MEMORY_SHARE) return slots
  }
  return 1
}
