import * as v from 'valibot'
import { createPrompt } from '#gpu-worker/agent/prompt.ts'
import { connectClient, type TestClient } from '#test/support/mcp.ts'
import { withBenchModel } from '../bench-model.ts'
import { startBenchStack } from '../bench-stack.ts'
import type { Figure } from '../figure.ts'
import { type Library, startLibrary } from '../peers/library.ts'
import { interleave } from '../rounds.ts'
import { type Row, toRow } from '../row.ts'
import { median, medianRatio } from '../statistics.ts'

const RATIO_MIN = 0.97
const MESSAGE_LETTERS = 1300
/** The answer of a random model goes on until its room is full: what this leaves beside the prompt, about 500 tokens. */
const CONTEXT_TOKENS = 2176

/** One answer, as its own counts and clocks tell of it. */
interface Answer {
  readonly promptTokens: number
  /** Without those that the engine still held from another prompt: the first few of every prompt. */
  readonly evaluatedTokens: number
  readonly answerTokens: number
  readonly firstTokenMs: number
  /** The whole of it, as its caller sees it. */
  readonly totalMs: number
}

/**
 * One answer at a time, asked for by an MCP client through the edge, NATS, the worker and the model's process, against
 * node-llama-cpp called directly in a process of its own: the same model file, one thread, as many tokens in and out.
 */
export const measureWholeStack: Figure = ({ quick, signal }) =>
  withBenchModel({ quick, contextTokens: CONTEXT_TOKENS }, async (modelFile) => {
    const world = await startBenchStack({ model: modelFile, signal })
    try {
      const client = await connectClient(world.stack.url, world.stack.token)
      const direct = await startLibrary({ modelFile, slots: 1, contextTokens: CONTEXT_TOKENS, signal })
      try {
        // Tells how many tokens there are, and warms it up, as the first direct answer does.
        const first = await askStack(client, 0)
        let asked = 1
        const contenders = {
          stack: () => askStack(client, asked++),
          library: () => askLibrary(direct, asked++, first),
        }
        await contenders.library()
        const names = ['stack', 'library'] as const
        return toRows(await interleave(names, quick ? 1 : 4, signal, (name) => contenders[name]()))
      } finally {
        await direct.stop()
        await client.close()
      }
    } finally {
      await world.stop()
    }
  })

const Usage = v.object({
  prompt_tokens: v.number(),
  cached_prompt_tokens: v.number(),
  completion_tokens: v.number(),
  time_to_first_token_ms: v.number(),
})
const Told = v.object({ usage: Usage })

/** On a busy machine an answer takes longer than a call may wait. */
async function awaitResult(client: TestClient, job_id: string): Promise<v.InferOutput<typeof Told>> {
  for (;;) {
    const { state, result } = await client.ok('get_job', { job_id, wait_seconds: 50 })
    if (state !== 'queued' && state !== 'running') return v.parse(Told, result)
  }
}

/** A new agent for each, so that neither a slot nor a history knows anything of it. */
async function askStack(client: TestClient, index: number): Promise<Answer> {
  const { path, systemPrompt } = taskOf(index)
  const agent_id = `agent-${index}`
  await client.ok('create_agent', { agent_id, name: agent_id, managed_file: path, system_prompt: systemPrompt })
  const begun = performance.now()
  const answer = await client.ok('chat_with_agent', { agent_id, message: MESSAGE, mode: 'ask', wait_seconds: 50 })
  const { usage } =
    answer.usage === undefined ? await awaitResult(client, String(answer.job_id)) : v.parse(Told, answer)
  const totalMs = performance.now() - begun
  return {
    promptTokens: usage.prompt_tokens,
    evaluatedTokens: usage.prompt_tokens - usage.cached_prompt_tokens,
    answerTokens: usage.completion_tokens,
    firstTokenMs: usage.time_to_first_token_ms,
    totalMs,
  }
}

/** The prompt that the worker makes of such a task. Rejects where it is not answered with the same numbers of tokens. */
async function askLibrary(library: Library, index: number, same: Answer): Promise<Answer> {
  const turns = createPrompt({
    ...taskOf(index),
    text: null,
    context: [],
    rules: [],
    message: MESSAGE,
    isQuestion: true,
  })
  const prompt = turns.map(({ role, text }) => `<|im_start|>${role}\n${text}<|im_end|>\n`).join('')
  const answer = await library.answer(`${prompt}<|im_start|>assistant\n`, same.answerTokens)
  for (const count of ['promptTokens', 'answerTokens'] as const) {
    if (answer[count] === same[count]) continue
    throw new Error(`Cannot compare: ${count} is ${same[count]} through the stack and ${answer[count]} directly`)
  }
  return { ...answer, evaluatedTokens: answer.promptTokens }
}

/** All of the same length, and different from their first letters on. */
const taskOf = (index: number): { path: string; systemPrompt: string } => {
  const number = String(index).padStart(3, '0')
  return { path: `file_${number}.py`, systemPrompt: `${number} answers at length` }
}

/** In the vocabulary of these models a letter is a token. */
const MESSAGE = 'Why '.padEnd(MESSAGE_LETTERS, 'qwzx')

function toRows({ stack, library }: Record<'stack' | 'library', Answer[]>): Row[] {
  const row = (what: string, unit: string, of: (answer: Answer) => number, min?: number): Row[] => {
    const [through, directly] = [stack.map(of), library.map(of)]
    const name = `${what}, node-llama-cpp called directly`
    return [
      toRow({ name, value: median(directly), unit }),
      toRow({
        name: `${what}, through the whole stack`,
        value: median(through),
        unit,
        comparedWith: { name, ratio: medianRatio(through, directly) },
        ...(min === undefined ? {} : { target: { of: 'ratio', min } as const }),
      }),
    ]
  }
  return [
    ...row('prompt speed', 'tokens/s', promptSpeed, RATIO_MIN),
    ...row('generation speed', 'tokens/s', generationSpeed, RATIO_MIN),
    ...row('a whole answer', 'ms', ({ totalMs }) => totalMs),
  ]
}

const promptSpeed = ({ evaluatedTokens, firstTokenMs }: Answer): number => evaluatedTokens / (firstTokenMs / 1000)

/** All that a caller waits for beside the first token counts: also the road there and back, the queue and the record. */
const generationSpeed = ({ answerTokens, firstTokenMs, totalMs }: Answer): number =>
  (answerTokens - 1) / ((totalMs - firstTokenMs) / 1000)
