import { setTimeout } from 'node:timers/promises'
import * as v from 'valibot'
import { describeExit, spawnBound } from '../../bound-process.ts'
import { claimPort } from '../../free-port.ts'
import { type Contender, type ContenderOptions, type GenerateCall, type Generated, toChatMl } from './contender.ts'

const READY_MS = 120_000

/** Starts llama-server; resolves when the model is loaded. An agent has the slot of its number. */
export async function startLlamaServer(program: string, options: ContenderOptions): Promise<Contender> {
  const { modelFile, slots, contextTokens, signal } = options
  const port = await claimPort(0)
  const lines: string[] = []
  const child = await spawnBound({
    command: program,
    args: [
      ...['--model', modelFile, '--host', '127.0.0.1', '--port', String(port), '--offline', '--no-webui'],
      ...['--threads', '1', '--threads-batch', '1', '--device', 'none'],
      ...['--parallel', String(slots), '--no-kv-unified', '--ctx-size', String(slots * contextTokens)],
      // Copies of prompts in memory, and the fitting of a context to it: neither is what is compared.
      ...['--cache-ram', '0', '--fit', 'off'],
    ],
    onLine: (line) => {
      lines.push(line)
      if (lines.length > 40) lines.shift()
    },
  })
  const address = `http://127.0.0.1:${port}`
  try {
    await waitUntilReady(address, child.exited, signal)
  } catch (error) {
    child.kill()
    const exit = await child.exited
    throw new Error([`Cannot start llama-server: ${describeExit(exit)}`, ...lines].join('\n  '), { cause: error })
  }
  return { generate: (call) => complete(address, call), stop: () => child.stop(5000) }
}

async function waitUntilReady(address: string, exited: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let gone = false
  void exited.then(() => {
    gone = true
  })
  for (const giveUpAt = performance.now() + READY_MS; ; await setTimeout(50, undefined, { signal })) {
    const answer = await fetch(`${address}/health`, { signal }).catch(() => null)
    if (answer?.ok === true) return
    if (gone || performance.now() > giveUpAt) throw new Error('It is not ready')
  }
}

/** The last piece of an answer; the others have a token each. */
const Last = v.object({ stop: v.literal(true), tokens_predicted: v.number(), tokens_evaluated: v.number() })

async function complete(address: string, call: GenerateCall): Promise<Generated> {
  const { agent, text, answerTokensMax, signal, onToken } = call
  const response = await fetch(`${address}/completion`, {
    method: 'POST',
    signal,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      prompt: toChatMl(text),
      n_predict: answerTokensMax,
      id_slot: agent,
      cache_prompt: true,
      // Greedy, and the shortest way to it.
      samplers: ['top_k'],
      top_k: 1,
      temperature: 0,
      // One answer at the end where nobody looks at the tokens, which costs it least.
      stream: onToken !== undefined,
    }),
  })
  if (!response.ok) throw new Error(`llama-server refused: HTTP status ${response.status}: ${await response.text()}`)
  const last = onToken === undefined ? await response.json() : await readStream(response, onToken)
  const { tokens_evaluated, tokens_predicted } = v.parse(Last, last)
  return { promptTokens: tokens_evaluated, answerTokens: tokens_predicted }
}

/** Server-sent events, each a line of JSON. */
async function readStream(response: Response, onToken: () => void): Promise<unknown> {
  let rest = ''
  let last: unknown
  const decoder = new TextDecoder()
  for await (const bytes of response.body ?? []) {
    const lines = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue
      last = JSON.parse(line.slice('data: '.length))
      onToken()
    }
  }
  return last
}
