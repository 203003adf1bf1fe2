import { withBenchModel } from '../bench-model.ts'
import type { Figure } from '../figure.ts'
import type { Contender, ContenderOptions } from '../peers/contender.ts'
import { startEngine } from '../peers/engine.ts'
import { startLibrary } from '../peers/library.ts'
import { startLlamaServer } from '../peers/llama-server.ts'
import { findLlamaServer } from '../peers/llama-server-build.ts'
import { interleave } from '../rounds.ts'
import { type Row, toRow } from '../row.ts'
import { median, medianRatio } from '../statistics.ts'

const AGENTS = [1, 2, 4, 8] as const
/** From here on the targets hold: one or two agents leave nothing to join. */
const TARGET_AGENTS_MIN = 4
const SERVER_RATIO_MIN = 0.9
const LIBRARY_RATIO_MIN = 1.6
const GAP_RATIO_MAX = 0.333
const SLOTS = 8
const CONTEXT_TOKENS = 4096
const LONG_PROMPT_TOKENS = 1500
/** More than a stream can have while it is watched. */
const STREAM_TOKENS = 2000

type Name = 'engine' | 'server' | 'library'
type Contenders = { readonly engine: Contender; readonly library: Contender; readonly server?: Contender }

const shown: Record<Name, string> = { engine: 'Millwright', server: 'llama-server', library: 'node-llama-cpp' }

/**
 * Our engine against llama-server of the very same llama.cpp, and against the library as it comes: each in a process of its
 * own, with the same model file, one thread of the CPU, eight slots, the same prompts and greedy answers of the same length.
 * Without the build of llama-server the rows that need it are left out, and the log says so.
 */
export const measurePeer: Figure = async ({ quick, signal, log }) => {
  const program = await findLlamaServer()
  if (program === null) {
    log('peer: llama-server is not built for this version (npm run bench:peer builds it): its rows are left out')
  }
  return withBenchModel({ quick, contextTokens: CONTEXT_TOKENS }, async (modelFile) => {
    const options: ContenderOptions = { modelFile, slots: SLOTS, contextTokens: CONTEXT_TOKENS, signal }
    const started: Contender[] = []
    const keep = <Started extends Contender>(contender: Started): Started => {
      started.push(contender)
      return contender
    }
    try {
      const contenders: Contenders = {
        engine: keep(startEngine(options)),
        library: keep(await startLibrary(options)),
        ...(program === null ? {} : { server: keep(await startLlamaServer(program, options)) }),
      }
      await warmUp(contenders, signal)
      log('peer: agents at once')
      const plan = quick ? { rounds: 2, answerTokens: 24 } : { rounds: 4, answerTokens: 48 }
      const together = await measureTogether(contenders, plan, signal)
      if (contenders.server === undefined) return together
      log('peer: streams beside a long prompt')
      // Another process of ours, because telling of every token costs what nobody pays who does not watch.
      const watched = { engine: keep(startEngine(options, { everyToken: true })), server: contenders.server }
      await warmUp(watched, signal)
      return [...together, ...(await measureGaps(watched, quick ? 2 : 3, signal))]
    } finally {
      await Promise.all(started.map((contender) => contender.stop()))
    }
  })
}

/** Each agent's prompt is then in its slot; and the three have counted the same prompt, or nothing else is comparable. */
async function warmUp(contenders: Partial<Contenders>, signal: AbortSignal): Promise<void> {
  const counts = await Promise.all(
    Object.values(contenders).map((contender) =>
      Promise.all(
        Array.from({ length: SLOTS }, async (_, agent) => {
          const call = { agent, text: short(agent), answerTokensMax: 2, signal }
          return (await contender.generate(call)).promptTokens
        }),
      ),
    ),
  )
  const [first, ...others] = counts.map((each) => each.join())
  if (others.some((other) => other !== first)) {
    throw new Error(`Cannot compare: the prompts have ${counts.map((each) => `(${each})`).join(', ')} tokens`)
  }
}

async function measureTogether(
  contenders: Contenders,
  { rounds, answerTokens }: { rounds: number; answerTokens: number },
  signal: AbortSignal,
): Promise<Row[]> {
  const names = namesOf(contenders)
  const all: Row[] = []
  for (const count of AGENTS) {
    const speeds = await interleave(names, rounds, signal, async (name) => {
      const begun = performance.now()
      const answers = await Promise.all(
        Array.from({ length: count }, (_, agent) =>
          contenders[name]?.generate({ agent, text: short(agent), answerTokensMax: answerTokens, signal }),
        ),
      )
      const tokens = answers.reduce((sum, answer) => sum + (answer?.answerTokens ?? 0), 0)
      if (tokens !== count * answerTokens) {
        throw new Error(`${shown[name]} answered ${tokens} tokens instead of ${count * answerTokens}`)
      }
      return tokens / ((performance.now() - begun) / 1000)
    })
    all.push(...toTogetherRows(count, names, speeds))
  }
  return all
}

function toTogetherRows(count: number, names: readonly Name[], speeds: Readonly<Record<Name, number[]>>): Row[] {
  const agents = `${count} agent${count === 1 ? '' : 's'} at once`
  const nameOf = (name: Name): string => `answer tokens of ${agents}, ${shown[name]}`
  const row = (name: Name) => ({ name: nameOf(name), value: median(speeds[name]), unit: 'tokens/s' })
  const against = (other: Name, min: number): Row =>
    toRow({
      ...row('engine'),
      comparedWith: { name: nameOf(other), ratio: medianRatio(speeds.engine, speeds[other]) },
      ...(count < TARGET_AGENTS_MIN ? {} : { target: { of: 'ratio', min } as const }),
    })
  return names.flatMap((name) => {
    if (name === 'engine') return []
    return [toRow(row(name)), against(name, name === 'server' ? SERVER_RATIO_MIN : LIBRARY_RATIO_MIN)]
  })
}

/**
 * Three agents' answers are watched token by token while a fourth brings a prompt of 1,500 tokens: the longest time in
 * which one of them got nothing. Both sides tell of every token the moment they have it, one over the channel between two
 * processes and the other over HTTP.
 */
async function measureGaps(
  contenders: { readonly engine: Contender; readonly server: Contender },
  rounds: number,
  signal: AbortSignal,
): Promise<Row[]> {
  let prompts = 0
  const results = await interleave(['engine', 'server'] as const, rounds, signal, (name) => {
    const text = `${prompts++} ${name} `.padEnd(LONG_PROMPT_TOKENS, 'qwzx')
    return watchBeside(contenders[name], text, signal)
  })
  const gaps = (name: 'engine' | 'server') => results[name].map(({ gapMs }) => gapMs)
  const prompt = (name: 'engine' | 'server') => results[name].map(({ promptMs }) => promptMs)
  const gapOf = (name: Name): string => `longest gap of three streams beside a long prompt, ${shown[name]}`
  const promptOf = (name: Name): string => `that prompt's answer of one token, ${shown[name]}`
  return [
    toRow({ name: gapOf('server'), value: median(gaps('server')), unit: 'ms' }),
    toRow({
      name: gapOf('engine'),
      value: median(gaps('engine')),
      unit: 'ms',
      comparedWith: { name: gapOf('server'), ratio: medianRatio(gaps('engine'), gaps('server')) },
      target: { of: 'ratio', max: GAP_RATIO_MAX },
    }),
    toRow({ name: promptOf('server'), value: median(prompt('server')), unit: 'ms' }),
    toRow({
      name: promptOf('engine'),
      value: median(prompt('engine')),
      unit: 'ms',
      comparedWith: { name: promptOf('server'), ratio: medianRatio(prompt('engine'), prompt('server')) },
    }),
  ]
}

async function watchBeside(
  contender: Contender,
  longText: string,
  signal: AbortSignal,
): Promise<{ gapMs: number; promptMs: number }> {
  const stop = new AbortController()
  const streams = [0, 1, 2].map((agent) => {
    const begun = Promise.withResolvers<void>()
    const seenAt: number[] = []
    const ended = contender
      .generate({
        agent,
        text: short(agent),
        answerTokensMax: STREAM_TOKENS,
        signal: AbortSignal.any([signal, stop.signal]),
        onToken: () => {
          seenAt.push(performance.now())
          begun.resolve()
        },
      })
      .then(() => begun.reject(new Error('A stream ended before it was stopped')), begun.reject)
    return { begun: begun.promise, ended, seenAt }
  })
  try {
    await Promise.all(streams.map(({ begun }) => begun))
    const from = performance.now()
    await contender.generate({ agent: 3, text: longText, answerTokensMax: 1, signal })
    const until = performance.now()
    const gapMs = Math.max(...streams.map(({ seenAt }) => longestGap(seenAt, from, until)))
    return { gapMs, promptMs: until - from }
  } finally {
    stop.abort()
    await Promise.all(streams.map(({ ended }) => ended))
  }
}

/** The longest time without a token between two moments. */
function longestGap(seenAt: readonly number[], from: number, until: number): number {
  const times = [from, ...seenAt.filter((at) => at > from && at < until), until]
  return Math.max(...times.slice(1).map((at, index) => at - (times[index] ?? at)))
}

const namesOf = (contenders: Contenders): Name[] =>
  (['server', 'library', 'engine'] as const).filter((name) => contenders[name] !== undefined)

const short = (agent: number): string => `Agent ${agent}, write a file`
