import type { GenerateRequest, LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { AppError } from '#shared/errors.ts'

export interface AnsweringModel extends LanguageModel {
  /** What it was asked, in order. */
  readonly requests: readonly GenerateRequest[]
}

/**
 * A double of the model, as in `scripted-model.ts`, for callers that ask in no fixed order: `answer` says what it writes to each
 * request. Four characters are a token.
 */
export function createAnsweringModel(
  answer: (request: GenerateRequest, signal: AbortSignal) => string | Promise<string>,
  { contextTokens = 32_768 }: { readonly contextTokens?: number } = {},
): AnsweringModel {
  const requests: GenerateRequest[] = []
  const tokens = (text: string): number => Math.ceil(text.length / 4)
  return {
    name: 'answering',
    requests,
    info: () => ({
      name: 'answering',
      state: 'ready',
      detail: 'A double for tests',
      download: null,
      context_tokens: contextTokens,
      queued: 0,
    }),
    async generate(request, { signal, onProgress }) {
      requests.push(request)
      const prompt = request.turns.reduce((sum, { text }) => sum + tokens(text), 0)
      onProgress?.({ phase: 'prompt', tokens: 0, promptTokens: prompt, promptTokensTotal: prompt })
      const text = await answer(request, signal)
      if (signal.aborted) throw new AppError('cancelled', 'Cannot answer: the call was cancelled')
      const usage = {
        prompt_tokens: prompt,
        cached_prompt_tokens: 0,
        completion_tokens: tokens(text),
        queue_ms: 0,
        time_to_first_token_ms: 10,
        tokens_per_second: 100,
        model: 'answering',
      }
      return { text, stopReason: 'end', usage }
    },
    countTokens: async (text) => tokens(text),
    memoryBytes: () => null,
    close: async () => {},
  }
}
