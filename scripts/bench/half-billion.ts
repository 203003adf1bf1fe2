import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLlamaModel, type LlamaModelOptions } from '#gpu-worker/adapters/node-llama-cpp.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { HALF_BILLION, writeTinyModel } from '../tiny-model.ts'

/** A sixth of the layers, for a first look. */
const QUICK_LAYERS = 4

/**
 * Runs with a model in the shape of Qwen2.5-0.5B (random weights, Q4_0) on one thread of the CPU, through the port that the
 * agents use. Ends its process and removes its file afterwards, also where `run` rejects.
 */
export async function withHalfBillion<Result>(
  quick: boolean,
  options: Pick<LlamaModelOptions, 'slots' | 'contextTokensMax'>,
  run: (model: LanguageModel) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'millwright-bench-model-'))
  const reference = join(folder, 'half-billion-q4_0.gguf')
  let model: LanguageModel | undefined
  try {
    const shape = { ...HALF_BILLION, quantisation: 'q4_0' } as const
    await writeTinyModel(reference, quick ? { ...shape, layers: QUICK_LAYERS } : shape)
    model = createLlamaModel({ reference, modelsFolder: folder, threads: 1, gpu: false, ...options })
    return await run(model)
  } finally {
    await model?.close()
    await rm(folder, { recursive: true, force: true })
  }
}
