import type { GenerateRequest, LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { AppError } from '#shared/errors.ts'

export interface ScriptedReply {
  readonly text: string
  readonly stopReason?: 'end' | 'length'
  /** Runs while the model "writes": to change the world in between, or to cancel. */
  readonly during?: () => void | Promise<void>
}

export interface ScriptedModel extends LanguageModel {
  /** What it was asked, in order. */
  readonly requests: readonly GenerateRequest[]
}

export interface ScriptedModelOptions {
  readonly contextTokens?: number
}

/**
 * A double of the model, not a model: it says what its script says, one reply per call, and then the last one again. For
 * tests of what happens around a model, where a real one cannot be made to fail in a chosen way. Four characters are a
 * token. Refuses with `context_overflow` as a real one does.
 */
export function createScriptedModel(
  script: readonly (string | ScriptedReply)[],
  { contextTokens = 32_768 }: ScriptedModelOptions = {},
): ScriptedModel {
  const requests: GenerateRequest[] = []
  const tokens = (text: string): number => Math.ceil(text.length / 4)
  return {
    name: 'scripted',
    requests,
    info: () => ({
      name: 'scripted',
      state: 'ready',
      detail: 'A double for tests',
      download: null,
      context_tokens: contextTokens,
      queued: 0,
    }),
    async generate(request, { signal, onProgress }) {
      const step = script[Math.min(requests.length, script.length - 1)]
      requests.push(request)
      const prompt = request.turns.reduce((sum, { text }) => sum + tokens(text), 0)
      if (prompt + request.answerTokensMax > contextTokens) {
        throw new AppError(
          'context_overflow',
          `Cannot show the model the task: ${prompt} tokens and ${request.answerTokensMax} for the answer, limit ${contextTokens}`,
        )
      }
      const reply = typeof step === 'string' ? { text: step } : (step ?? { text: '' })
      onProgress?.({ phase: 'prompt', tokens: 0, promptTokens: prompt, promptTokensTotal: prompt })
      await reply.during?.()
      if (signal.aborted) throw new AppError('cancelled', 'Cannot answer: the call was cancelled')
      const written = tokens(reply.text)
      onProgress?.({ phase: 'generating', tokens: written, promptTokens: prompt, promptTokensTotal: prompt })
      return {
        text: reply.text,
        stopReason: reply.stopReason ?? 'end',
        usage: {
          prompt_tokens: prompt,
          cached_prompt_tokens: 0,
          completion_tokens: written,
          queue_ms: 0,
          time_to_first_token_ms: 10,
          tokens_per_second: 100,
          model: 'scripted',
        },
      }
    },
    countTokens: async (text) => tokens(text),
    memoryBytes: () => null,
    close: async () => {},
  }
}
