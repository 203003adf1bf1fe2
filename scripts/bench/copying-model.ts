import { join } from 'node:path'
import { getLlama, type LlamaModel, type Token } from 'node-llama-cpp'
import { ModelSlots } from '#gpu-worker/adapters/node-llama-cpp-slots.ts'
import { LEVERS_DEFAULT, type Levers } from '#gpu-worker/inference/levers.ts'
import { HALF_BILLION, type TinyModelOptions, writeTinyModel } from '../tiny-model.ts'

const CONTEXT_TOKENS = 2048
const SLOTS = 4
/** Layers of a draft model; the model that it drafts for has no more at work. */
const DRAFT_LAYERS = 2

export interface CopyingModelOptions {
  readonly folder: string
  readonly quantisation: 'q4_0' | 'q8_0'
  /** All of Qwen2.5-0.5B's, or fewer for a first look. */
  readonly layers: number
}

/**
 * A model in the shape of Qwen2.5-0.5B whose answer is known before: its next token follows from the last one alone, by a
 * walk through the vocabulary that does not repeat itself for hundreds of tokens. So a prompt can hold the very answer, or
 * a changed one, as the prompt of an edit does; every layer is computed as in any other model. In this process.
 */
export class CopyingModel {
  readonly model: LlamaModel
  readonly #folder: string

  private constructor(model: LlamaModel, folder: string) {
    this.model = model
    this.#folder = folder
  }

  static async load({ folder, quantisation, layers }: CopyingModelOptions): Promise<CopyingModel> {
    const model = await loadModel(join(folder, `copying-${quantisation}.gguf`), { layers, quantisation })
    return new CopyingModel(model, folder)
  }

  /** One with a few of its layers, which says the same: a draft model that is always right. */
  loadDraft(): Promise<LlamaModel> {
    return loadModel(join(this.#folder, 'draft.gguf'), { layers: DRAFT_LAYERS, quantisation: 'q4_0' })
  }

  createSlots(
    levers: Partial<Levers>,
    { threads = 1, draft = null }: { threads?: number; draft?: LlamaModel | null } = {},
  ): Promise<ModelSlots> {
    return ModelSlots.create(this.model, SLOTS, {
      contextSize: CONTEXT_TOKENS,
      threads,
      levers: { ...LEVERS_DEFAULT, promptLookup: false, ...levers },
      draft,
      states: null,
    })
  }
}

async function loadModel(modelPath: string, shape: Pick<TinyModelOptions, 'layers' | 'quantisation'>) {
  await writeTinyModel(modelPath, { ...HALF_BILLION, ...shape, memoryless: true, layersAtWork: DRAFT_LAYERS })
  const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, maxThreads: 2 })
  return llama.loadModel({ modelPath })
}

/** One call, from its prompt to its last token. */
export async function generate(
  slots: ModelSlots,
  prompt: readonly Token[],
  { cacheKey, answerTokensMax, signal }: { cacheKey: string; answerTokensMax: number; signal: AbortSignal },
): Promise<Token[]> {
  const call = { prompt, answerTokensMax, temperature: 0, cacheKey, guide: null, signal, onProgress: () => {} }
  const { tokens } = await slots.generate(call)
  return tokens
}

/** Tokens that mean nothing, other ones for each seed. */
export const filler = (seed: number, count: number): Token[] =>
  Array.from({ length: count }, (_, index) => (1000 + ((index * 7919 + seed * 104_729) % 100_000)) as Token)

/** The text with every so many tokens another one. */
export const changed = (tokens: readonly Token[], every: number): Token[] =>
  tokens.map((token, index) => (index % every === every - 1 ? ((500 + index) as Token) : token))
