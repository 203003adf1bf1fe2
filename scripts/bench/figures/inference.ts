import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLlamaModel } from '#gpu-worker/adapters/node-llama-cpp.ts'
import type { ChatTurn, GenerateResult, LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { HALF_BILLION, writeTinyModel } from '../../tiny-model.ts'
import type { Figure } from '../figure.ts'
import { type Row, toRow } from '../row.ts'
import { median, medianRatio } from '../statistics.ts'

const AGENTS = [1, 2, 4, 8] as const
const SLOTS = 8
const LONG_PROMPT_TOKENS = 1500
/** A model with random weights works as hard as a trained one of its shape. */
const SHAPE = { ...HALF_BILLION, quantisation: 'q4_0' } as const
/** A sixth of the layers, for a first look. */
const QUICK_SHAPE = { ...SHAPE, layers: 4 } as const

/**
 * The scheduler, through the port that the agents use: a model in the shape of Qwen2.5-0.5B (random weights, Q4_0) on one
 * thread of the CPU, where every ratio is between two things that one process did one after the other.
 */
export const measureInference: Figure = async ({ quick, signal, log }) => {
  const folder = await mkdtemp(join(tmpdir(), 'millwright-bench-model-'))
  const path = join(folder, 'half-billion-q4_0.gguf')
  let model: LanguageModel | undefined
  try {
    await writeTinyModel(path, quick ? QUICK_SHAPE : SHAPE)
    model = createLlamaModel({
      reference: path,
      modelsFolder: folder,
      threads: 1,
      gpu: false,
      slots: SLOTS,
      contextTokensMax: 4096,
    })
    const world: World = { model, signal }
    const rounds = quick ? 1 : 2
    log('inference: agents at once')
    const together = await measureTogether(world, quick ? 1 : 3, quick ? 24 : 48)
    log('inference: streams beside a long prompt')
    const beside = await measureBesidePrompt(world, rounds)
    log('inference: second turns')
    return [...together, ...beside, await measureSecondTurn(world, rounds)]
  } finally {
    await model?.close()
    await rm(folder, { recursive: true, force: true })
  }
}

interface World {
  readonly model: LanguageModel
  readonly signal: AbortSignal
}

/** Tokens per second of all agents together, each with a short prompt and an answer of `answerTokens`. */
async function measureTogether(world: World, rounds: number, answerTokens: number): Promise<Row[]> {
  const speeds = new Map<number, number[]>(AGENTS.map((count) => [count, []]))
  const run = async (count: number): Promise<number> => {
    const begun = performance.now()
    const answers = await Promise.all(
      Array.from({ length: count }, (_, index) => generate(world, `agent-${index}`, short(index), answerTokens)),
    )
    const tokens = answers.reduce((sum, { usage }) => sum + usage.completion_tokens, 0)
    return tokens / ((performance.now() - begun) / 1000)
  }
  await Promise.all(Array.from({ length: SLOTS }, (_, index) => generate(world, `agent-${index}`, short(index), 2)))
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? AGENTS : AGENTS.toReversed()
    for (const count of order) speeds.get(count)?.push(await run(count))
  }
  const one = speeds.get(1) ?? []
  return AGENTS.map((count) => {
    const these = speeds.get(count) ?? []
    const measured = { name: nameOf(count), value: median(these), unit: 'tokens/s' }
    if (count === 1) return toRow(measured)
    return toRow({ ...measured, comparedWith: { name: nameOf(1), ratio: medianRatio(these, one) } })
  })
}

const nameOf = (count: number): string => `answer tokens of ${count} agent${count === 1 ? '' : 's'} at once`

/**
 * The longest time in which one of three streams showed no new token while a fourth caller's long prompt was evaluated,
 * against how long that prompt takes on its own. Streams are seen through their progress, which comes every 250 ms at
 * most, so that a gap may be told up to that much too long.
 */
async function measureBesidePrompt(world: World, rounds: number): Promise<Row[]> {
  const alone: number[] = []
  const beside: number[] = []
  const gaps: number[] = []
  for (let round = 0; round < rounds; round++) {
    alone.push(await firstTokenMs(world, `alone-${round}`, long(`${round} alone`)))
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, world.signal])
    const streams = [0, 1, 2].map((index) => watchStream({ ...world, signal }, `agent-${index}`, short(index)))
    await Promise.all(streams.map((stream) => stream.begun))
    const from = performance.now()
    beside.push(await firstTokenMs(world, `beside-${round}`, long(`${round} beside`)))
    const until = performance.now()
    stop.abort()
    await Promise.all(streams.map((stream) => stream.ended))
    gaps.push(Math.max(...streams.map((stream) => stream.longestGap(from, until))))
  }
  const aloneName = `first token of a prompt of ${LONG_PROMPT_TOKENS} tokens, alone`
  const compared = (values: readonly number[]) => ({ name: aloneName, ratio: medianRatio(values, alone) })
  return [
    toRow({ name: aloneName, value: median(alone), unit: 'ms' }),
    toRow({ name: 'the same beside three streams', value: median(beside), unit: 'ms', comparedWith: compared(beside) }),
    toRow({ name: 'longest gap of the streams then', value: median(gaps), unit: 'ms', comparedWith: compared(gaps) }),
  ]
}

/** An answer that goes on until the signal ends it, and when its tokens were seen. */
function watchStream(world: World, cacheKey: string, turns: readonly ChatTurn[]) {
  const begun = Promise.withResolvers<void>()
  const seenAt: number[] = []
  const call = world.model.generate(
    { turns, answerTokensMax: 3000, temperature: 0, cacheKey },
    {
      signal: world.signal,
      onProgress: ({ phase }) => {
        if (phase !== 'generating') return
        seenAt.push(performance.now())
        begun.resolve()
      },
    },
  )
  call.catch(begun.reject)
  return {
    begun: begun.promise,
    ended: call.then(
      () => {},
      () => {},
    ),
    longestGap: (from: number, until: number): number => {
      const times = [from, ...seenAt.filter((at) => at > from && at < until), until]
      return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)))
    },
  }
}

/** The second turn of a conversation, whose first turn the slot still holds. */
async function measureSecondTurn(world: World, rounds: number): Promise<Row> {
  const firsts: number[] = []
  const seconds: number[] = []
  for (let round = 0; round < rounds; round++) {
    const cacheKey = `turns-${round}`
    const turns = long(`${round} turns`)
    const first = await generate(world, cacheKey, turns, 16)
    const second = await generate(
      world,
      cacheKey,
      [...turns, { role: 'assistant', text: first.text }, { role: 'user', text: 'Go on' }],
      2,
    )
    firsts.push(first.usage.time_to_first_token_ms ?? Number.NaN)
    seconds.push(second.usage.time_to_first_token_ms ?? Number.NaN)
  }
  return toRow({
    name: 'first token of the second turn',
    value: median(seconds),
    unit: 'ms',
    comparedWith: {
      name: `first token of the first turn, ${LONG_PROMPT_TOKENS} tokens`,
      ratio: medianRatio(seconds, firsts),
    },
    target: { of: 'ratio', max: 0.05 },
  })
}

async function firstTokenMs(world: World, cacheKey: string, turns: readonly ChatTurn[]): Promise<number> {
  const { usage } = await generate(world, cacheKey, turns, 1)
  return usage.time_to_first_token_ms ?? Number.NaN
}

const generate = (
  { model, signal }: World,
  cacheKey: string,
  turns: readonly ChatTurn[],
  answerTokensMax: number,
): Promise<GenerateResult> => model.generate({ turns, answerTokensMax, temperature: 0, cacheKey }, { signal })

const short = (index: number): ChatTurn[] => [{ role: 'user', text: `Agent ${index}, write a file` }]

/** In the vocabulary of these models a letter is a token. What differs comes first, so that nothing is shared. */
const long = (what: string): ChatTurn[] => [{ role: 'user', text: `${what} `.padEnd(LONG_PROMPT_TOKENS, 'qwzx') }]
