import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLlamaModel } from '#gpu-worker/adapters/node-llama-cpp.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { HALF_BILLION, writeTinyModel } from '../../tiny-model.ts'
import type { Figure } from '../figure.ts'
import { type Row, toRow } from '../row.ts'
import { median } from '../statistics.ts'

const AGENTS = 16
const SLOTS = 4
const PROMPT_TOKENS = 1500
/** Far more than 16 states take: 18 MB each. */
const STATES_BYTES_MAX = 2_000_000_000

/**
 * More agents than slots, each called in turn, so that none ever finds its own slot: with state files, and with every
 * prompt evaluated again. A model in the shape of Qwen2.5-0.5B (random weights, Q4_0), one thread of the CPU, one process
 * at a time.
 */
export const measureAgentTurns: Figure = async ({ quick, signal, log }) => {
  const folder = await mkdtemp(join(tmpdir(), 'millwright-bench-turns-'))
  const open: LanguageModel[] = []
  try {
    const path = join(folder, 'half-billion-q4_0.gguf')
    await writeTinyModel(path, { ...HALF_BILLION, quantisation: 'q4_0', ...(quick ? { layers: 4 } : {}) })
    const create = (bytesMax: number): LanguageModel => {
      const model = createLlamaModel({
        reference: path,
        modelsFolder: folder,
        threads: 1,
        gpu: false,
        slots: SLOTS,
        contextTokensMax: 2048,
        states: { folder: join(folder, 'states'), bytesMax },
      })
      open.push(model)
      return model
    }
    const world = { again: create(0), states: create(STATES_BYTES_MAX), signal }
    await turn(world.again, 0, signal, 'Warm up')
    await turn(world.states, 0, signal, 'Warm up')
    return await measure(world, quick ? 1 : 5, log)
  } finally {
    await Promise.all(open.map((model) => model.close()))
    await rm(folder, { recursive: true, force: true })
  }
}

interface World {
  /** Keeps nothing but what its slots hold. */
  readonly again: LanguageModel
  readonly states: LanguageModel
  readonly signal: AbortSignal
}

async function measure({ again, states, signal }: World, rounds: number, log: (line: string) => void): Promise<Row[]> {
  log('turns: every prompt evaluated again, and for the first time with state files')
  let evaluated = 0
  let written = 0
  for (let agent = 0; agent < AGENTS; agent++) {
    // In alternating order, so that a slow minute meets both.
    if (agent % 2 === 0) evaluated += await turn(again, agent, signal)
    written += await turn(states, agent, signal)
    if (agent % 2 === 1) evaluated += await turn(again, agent, signal)
  }
  log('turns: from state files')
  const restored: number[] = []
  for (let round = 0; round < rounds; round++) {
    let sum = 0
    for (let agent = 0; agent < AGENTS; agent++) sum += await turn(states, agent, signal)
    restored.push(sum)
  }
  const name = `${AGENTS} agents on ${SLOTS} slots in turn, ${PROMPT_TOKENS} tokens each, evaluated again`
  const compared = (value: number) => ({ name, ratio: value / evaluated })
  return [
    toRow({ name, value: evaluated, unit: 'ms' }),
    toRow({
      name: 'the same, written to state files',
      value: written,
      unit: 'ms',
      comparedWith: compared(written),
    }),
    toRow({
      name: 'the same, from state files',
      value: median(restored),
      unit: 'ms',
      comparedWith: compared(median(restored)),
      target: { of: 'ratio', max: 0.03 },
    }),
  ]
}

/**
 * Milliseconds until an agent has had the first token of its answer. In the vocabulary of these models a letter is a token;
 * what differs comes first, so that agents share nothing.
 */
async function turn(model: LanguageModel, agent: number, signal: AbortSignal, text?: string): Promise<number> {
  const prompt = text ?? `${agent} `.padEnd(PROMPT_TOKENS, `qwzx${agent}`)
  const begun = performance.now()
  await model.generate(
    { turns: [{ role: 'user', text: prompt }], answerTokensMax: 1, temperature: 0, cacheKey: `agent-${agent}` },
    { signal },
  )
  return performance.now() - begun
}
