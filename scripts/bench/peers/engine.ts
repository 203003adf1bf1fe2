import { dirname } from 'node:path'
import { createLlamaModel } from '#gpu-worker/adapters/node-llama-cpp.ts'
import type { Contender, ContenderOptions } from './contender.ts'

/**
 * Our own engine, through the port that the agents use. With `everyToken` it tells of each token, for a watcher, instead of a
 * few times a second.
 */
export function startEngine(
  { modelFile, slots, contextTokens }: ContenderOptions,
  { everyToken = false } = {},
): Contender {
  const model = createLlamaModel({
    reference: modelFile,
    modelsFolder: dirname(modelFile),
    threads: 1,
    gpu: false,
    slots,
    contextTokensMax: contextTokens,
    ...(everyToken ? { progressIntervalMs: 0 } : {}),
  })
  return {
    async generate({ agent, text, answerTokensMax, signal, onToken }) {
      const { usage } = await model.generate(
        { turns: [{ role: 'user', text }], answerTokensMax, temperature: 0, cacheKey: `agent-${agent}` },
        { signal, onProgress: ({ phase }) => (phase === 'generating' ? onToken?.() : undefined) },
      )
      return { promptTokens: usage.prompt_tokens, answerTokens: usage.completion_tokens }
    },
    stop: () => model.close(),
  }
}
