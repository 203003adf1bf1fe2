import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HALF_BILLION, writeTinyModel } from '../tiny-model.ts'

/** Hands `work` a model in the shape of Qwen2.5-0.5B (random weights, Q4_0), with a sixth of the layers where `quick`. */
export async function withBenchModel<T>(
  { quick, contextTokens }: { quick: boolean; contextTokens: number },
  work: (modelFile: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'millwright-bench-model-'))
  try {
    const modelFile = join(folder, 'half-billion-q4_0.gguf')
    // A model with random weights works as hard as a trained one of its shape.
    await writeTinyModel(modelFile, {
      ...HALF_BILLION,
      quantisation: 'q4_0',
      contextTokens,
      ...(quick ? { layers: 4 } : {}),
    })
    return await work(modelFile)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
