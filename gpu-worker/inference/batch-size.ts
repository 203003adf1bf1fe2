/** On a CPU larger pieces of a prompt gain nothing: 128 tokens at once are as fast as 512, and an abort waits for less. */
const PROMPT_TOKENS_MAX_CPU = 128
/** On a GPU, where a piece takes milliseconds and larger ones use it better: llama.cpp's own batch size. Not measured. */
const PROMPT_TOKENS_MAX_GPU = 512

/** Prompt tokens in one batch at most; fewer where they take too long, see batch-planner.ts. */
export const choosePromptTokensMax = (onGpu: boolean): number => (onGpu ? PROMPT_TOKENS_MAX_GPU : PROMPT_TOKENS_MAX_CPU)
