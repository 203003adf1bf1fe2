/** Something that generates, as the bench compares it with others. All of them get the same tokens. */
export interface Contender {
  /**
   * Answers a user's text greedily, up to `answerTokensMax` tokens. Calls of one `agent`, a number from 0 up, follow each
   * other and may use again what is left of its last prompt; those of several agents run at the same time.
   */
  generate(call: GenerateCall): Promise<Generated>
  stop(): Promise<unknown>
}

export interface GenerateCall {
  readonly agent: number
  readonly text: string
  readonly answerTokensMax: number
  readonly signal: AbortSignal
  /** For each token, as soon as it is known in this process. */
  readonly onToken?: () => void
}

export interface Generated {
  /** All of the prompt, whether evaluated or still known. */
  readonly promptTokens: number
  readonly answerTokens: number
}

/** The prompt as text with the model's control tokens in it, for those that take it so. */
export const toChatMl = (text: string): string => `<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`

/** Of every contender: one context with so many conversations of this size, on one thread of the CPU. */
export interface ContenderOptions {
  readonly modelFile: string
  readonly slots: number
  readonly contextTokens: number
  readonly signal: AbortSignal
}
