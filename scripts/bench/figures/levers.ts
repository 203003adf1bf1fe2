import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LlamaGrammarEvaluationState, type LlamaModel, type Token } from 'node-llama-cpp'
import { GuessingPredictor } from '#gpu-worker/adapters/node-llama-cpp-guesses.ts'
import type { ModelSlots } from '#gpu-worker/adapters/node-llama-cpp-slots.ts'
import { BatchCost } from '#gpu-worker/inference/batch-cost.ts'
import { chooseGuessedTokens, tokenShare } from '#gpu-worker/inference/lookup.ts'
import { CopyingModel, changed, filler, generate } from '../copying-model.ts'
import type { Figure } from '../figure.ts'
import { type Measured, type Row, toRow } from '../row.ts'
import { median, medianRatio } from '../statistics.ts'

const LAYERS = 24
const LAYERS_QUICK = 4
const ANSWER_TOKENS = 128
const PROMPT_TOKENS = 1500
/** Of the models, in the end. */
const DISPOSE_MS_MAX = 5000
const BOUNDED_MS = 6000
const AGENTS = [0, 1, 2, 3] as const

interface World {
  readonly copying: CopyingModel
  readonly answers: readonly (readonly Token[])[]
  readonly rounds: number
  readonly signal: AbortSignal
  readonly log: (line: string) => void
}

/** What each lever of speed brings, on a CPU: a model whose answer is known, one row for each with its ratio. */
export const measureLevers: Figure = async ({ quick, signal, log }) => {
  const folder = await mkdtemp(join(tmpdir(), 'millwright-bench-levers-'))
  const layers = quick ? LAYERS_QUICK : LAYERS
  try {
    const copying = await CopyingModel.load({ folder, layers, quantisation: 'q4_0' })
    const plain = await copying.createSlots({})
    const answers = await Promise.all(
      AGENTS.map((agent) => answer(plain, [...filler(agent, 20), startOf(agent)], signal)),
    )
    const world: World = { copying, answers, rounds: quick ? 1 : 3, signal, log }
    const rows = [
      ...(await measureLookup(world, plain)),
      ...(await measureGrammar(world)),
      ...(await measureDraft(world, plain)),
      ...(await measureContexts(world)),
      ...(await measurePieces(world)),
    ]
    const eight = await CopyingModel.load({ folder, layers, quantisation: 'q8_0' })
    rows.push(...(await measureSlots(world, 'Q4_0', copying)), ...(await measureSlots(world, 'Q8_0', eight)))
    rows.push(...(await measureThreads(world)))
    // A call that was cut off in the middle of a batch may keep its context for good; the process ends soon.
    await Promise.race([Promise.all([eight.model.dispose(), copying.model.dispose()]), sleep(DISPOSE_MS_MAX)])
    return rows
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The token that an agent's prompt ends with: each has a walk of its own. */
const startOf = (agent: number): Token => (11 * (agent + 1)) as Token

/** The prompt of an edit: the file, of which the answer is a copy but for every so many tokens. */
const editPrompt = ({ answers }: World, agent: number, every: number): Token[] => [
  ...filler(agent + 1, 30),
  ...changed(answers[agent] ?? [], every),
  ...filler(agent + 2, 30),
  startOf(agent),
]

const answer = (slots: ModelSlots, prompt: readonly Token[], signal: AbortSignal, cacheKey = 'first') =>
  generate(slots, prompt, { cacheKey, answerTokensMax: ANSWER_TOKENS, signal })

/** Answer tokens per second of so many agents at once, prompts already in their slots. Throws for a wrong token. */
async function speed(world: World, slots: ModelSlots, agents: number, every: number): Promise<number> {
  world.signal.throwIfAborted()
  const prompts = AGENTS.slice(0, agents).map((agent) => editPrompt(world, agent, every))
  const { signal } = world
  await Promise.all(
    prompts.map((prompt, agent) => generate(slots, prompt, { cacheKey: `agent-${agent}`, answerTokensMax: 1, signal })),
  )
  const begun = performance.now()
  const given = await Promise.all(prompts.map((prompt, agent) => answer(slots, prompt, signal, `agent-${agent}`)))
  const seconds = (performance.now() - begun) / 1000
  for (const [agent, tokens] of given.entries()) refuseOther(tokens, world.answers[agent] ?? [])
  return (agents * ANSWER_TOKENS) / seconds
}

/** A lever that changes the answer is not faster but broken. */
function refuseOther(tokens: readonly Token[], expected: readonly Token[]): void {
  const at = expected.findIndex((token, index) => token !== tokens[index])
  if (at !== -1 || tokens.length !== expected.length) throw new Error(`The answer differs at token ${at}`)
}

/** Measures two in turn, so that both meet the same minute, and makes the row of the second against the first. */
async function compare(
  { rounds, log }: World,
  [baseName, measureBase]: readonly [string, () => Promise<number>],
  [name, measure]: readonly [string, () => Promise<number>],
  rest: Pick<Measured, 'unit' | 'target'> = { unit: 'tokens/s' },
): Promise<Row> {
  const bases: number[] = []
  const values: number[] = []
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) bases.push(await measureBase())
    values.push(await measure())
    if (round % 2 === 1) bases.push(await measureBase())
  }
  const ratio = medianRatio(values, bases)
  log(`levers: ${name}: ${ratio.toPrecision(3)}`)
  return toRow({
    name: `${name} (${baseName}: ${median(bases).toPrecision(3)})`,
    value: median(values),
    ...rest,
    comparedWith: { name: baseName, ratio },
  })
}

async function measureLookup(world: World, plain: ModelSlots): Promise<Row[]> {
  const guessing = await world.copying.createSlots({ promptLookup: true })
  const rows: Row[] = []
  for (const [agents, every, what] of [
    [1, Number.POSITIVE_INFINITY, 'a copying edit'],
    [1, 20, 'every 20th token changed'],
    [1, 6, 'every 6th token changed'],
    [1, 1, 'nothing copied'],
    [4, Number.POSITIVE_INFINITY, 'a copying edit, 4 agents at once'],
    [4, 6, 'every 6th token changed, 4 agents at once'],
  ] as const) {
    rows.push(
      await compare(
        world,
        ['without', () => speed(world, plain, agents, every)],
        [`prompt lookup: ${what}`, () => speed(world, guessing, agents, every)],
        { unit: 'tokens/s', ...(rows.length === 0 ? { target: { of: 'ratio', min: 1.7 } } : {}) },
      ),
    )
  }
  return rows
}

/** Straight through the engine, whose business it is to bring guesses and a grammar together. */
async function measureGrammar(world: World): Promise<Row[]> {
  const { model } = world.copying
  const grammar = await model.llama.createGrammar({ grammar: String.raw`root ::= ("[" [a-z]* [0-9]* "]" | [^\x00])*` })
  const context = await model.createContext({ contextSize: 1024, sequences: 2, threads: 1 })
  const cost = new BatchCost(tokenShare(false))
  // As expected of a CPU: nobody measures batches here.
  cost.record(1, cost.of(1))
  const predictor = new GuessingPredictor((acceptance) => chooseGuessedTokens({ acceptance, answers: 1, cost }), null)
  const sequences = { without: context.getSequence(), with: context.getSequence({ tokenPredictor: predictor }) }
  const prompt = editPrompt(world, 0, Number.POSITIVE_INFINITY)
  const run = async (which: 'without' | 'with'): Promise<number> => {
    world.signal.throwIfAborted()
    const sequence = sequences[which]
    await sequence.clearHistory()
    await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(0, -1))
    predictor.begin(prompt, ANSWER_TOKENS)
    const tokens: Token[] = []
    const grammarEvaluationState = new LlamaGrammarEvaluationState({ model, grammar })
    const begun = performance.now()
    for await (const token of sequence.evaluate(prompt.slice(-1), { temperature: 0, grammarEvaluationState })) {
      tokens.push(token)
      if (tokens.length === ANSWER_TOKENS) break
    }
    refuseOther(tokens, world.answers[0] ?? [])
    return ANSWER_TOKENS / ((performance.now() - begun) / 1000)
  }
  const row = await compare(
    world,
    ['without', () => run('without')],
    ['prompt lookup: a copying edit, held to a grammar', () => run('with')],
    { unit: 'tokens/s', target: { of: 'ratio', min: 1.7 } },
  )
  await context.dispose()
  return [row]
}

async function measureDraft(world: World, plain: ModelSlots): Promise<Row[]> {
  const draft: LlamaModel = await world.copying.loadDraft()
  const drafted = await world.copying.createSlots({ draftModel: 'draft.gguf' }, { draft })
  const row = await compare(
    world,
    ['without', () => speed(world, plain, 1, 1)],
    ['draft model: always right, a third of the work', () => speed(world, drafted, 1, 1)],
  )
  return [row]
}

/** Prompt and answer speed with another kind of attention, and of cache. */
async function measureContexts(world: World): Promise<Row[]> {
  const { copying } = world
  const standard = await copying.createSlots({ flashAttention: 'on' })
  const others = [
    ['flash attention off', 'on', await copying.createSlots({ flashAttention: 'off' })],
    ['cache in Q8_0', 'in F16', await copying.createSlots({ flashAttention: 'on', kvCache: 'q8_0' })],
  ] as const
  const rows: Row[] = []
  for (const [name, base, slots] of others) {
    rows.push(
      await compare(
        world,
        [base, () => promptSpeed(world, standard)],
        [`${name}: prompt of ${PROMPT_TOKENS} tokens`, () => promptSpeed(world, slots)],
      ),
      await compare(
        world,
        [base, () => longSpeed(world, standard)],
        [`${name}: answer behind it`, () => longSpeed(world, slots)],
      ),
    )
  }
  return rows
}

let prompts = 0

/** Prompt tokens per second, of a prompt that no slot holds. */
async function promptSpeed({ signal }: World, slots: ModelSlots): Promise<number> {
  signal.throwIfAborted()
  const begun = performance.now()
  await generate(slots, filler(++prompts, PROMPT_TOKENS), { cacheKey: 'long', answerTokensMax: 1, signal })
  return PROMPT_TOKENS / ((performance.now() - begun) / 1000)
}

/** Answer tokens per second behind the last long prompt. */
async function longSpeed({ signal }: World, slots: ModelSlots): Promise<number> {
  const prompt = filler(prompts, PROMPT_TOKENS)
  await generate(slots, prompt, { cacheKey: 'long', answerTokensMax: 1, signal })
  const begun = performance.now()
  await answer(slots, prompt, signal, 'long')
  return ANSWER_TOKENS / ((performance.now() - begun) / 1000)
}

/** How many tokens of a prompt at once. */
async function measurePieces(world: World): Promise<Row[]> {
  const context = await world.copying.model.createContext({ contextSize: 2048, batchSize: 512, threads: 1 })
  const sequence = context.getSequence()
  const run = async (size: number): Promise<number> => {
    await sequence.clearHistory()
    const prompt = filler(7, 1024)
    const begun = performance.now()
    for (let at = 0; at < prompt.length; at += size) {
      world.signal.throwIfAborted()
      await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(at, at + size))
    }
    return prompt.length / ((performance.now() - begun) / 1000)
  }
  const rows: Row[] = []
  for (const size of [32, 512]) {
    rows.push(
      await compare(world, ['128 at once', () => run(128)], [`prompt, ${size} tokens at once`, () => run(size)]),
    )
  }
  await context.dispose()
  return rows
}

async function measureThreads(world: World): Promise<Row[]> {
  const [one, two] = [await world.copying.createSlots({}), await world.copying.createSlots({}, { threads: 2 })]
  const run = (slots: ModelSlots, phase: 'prompt' | 'generating') => () => boundedSpeed(world, slots, phase)
  return [
    await compare(world, ['one', run(one, 'generating')], ['two threads: answer', run(two, 'generating')]),
    await compare(world, ['one', run(one, 'prompt')], ['two threads: prompt', run(two, 'prompt')]),
  ]
}

/**
 * Tokens of one phase per second, as far as they come in a few seconds: a second thread on a core that is busy makes
 * everything many times slower.
 */
async function boundedSpeed({ signal }: World, slots: ModelSlots, phase: 'prompt' | 'generating'): Promise<number> {
  const begun = performance.now()
  const limit = AbortSignal.timeout(BOUNDED_MS)
  let count = 0
  const call = slots.generate({
    prompt: filler(++prompts, phase === 'prompt' ? PROMPT_TOKENS : 8),
    answerTokensMax: phase === 'prompt' ? 1 : ANSWER_TOKENS,
    temperature: 0,
    cacheKey: 'bounded',
    guide: null,
    signal: AbortSignal.any([signal, limit]),
    onProgress: (now, tokens, promptTokens) => {
      if (now === phase) count = phase === 'prompt' ? promptTokens : tokens
    },
  })
  await call.catch((error: unknown) => {
    if (signal.aborted || !limit.aborted) throw error
  })
  return count / ((performance.now() - begun) / 1000)
}

/** Whether answers at once pay with this quantisation. Its own answers, so they are not compared with the others'. */
async function measureSlots(world: World, name: string, copying: CopyingModel): Promise<Row[]> {
  const slots = await copying.createSlots({})
  const run = async (agents: number): Promise<number> => {
    world.signal.throwIfAborted()
    const begun = performance.now()
    await Promise.all(
      AGENTS.slice(0, agents).map((agent) =>
        answer(slots, [...filler(agent, 20), startOf(agent)], world.signal, `agent-${agent}`),
      ),
    )
    return (agents * ANSWER_TOKENS) / ((performance.now() - begun) / 1000)
  }
  await run(AGENTS.length)
  return [
    await compare(world, ['one', () => run(1)], [`${name}: two agents at once`, () => run(2)]),
    await compare(world, ['one', () => run(1)], [`${name}: four agents at once`, () => run(4)]),
  ]
}
