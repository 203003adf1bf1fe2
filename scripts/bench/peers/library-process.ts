import { getLlama, type LlamaContextSequence, type LlamaModel, type Token } from 'node-llama-cpp'
import * as v from 'valibot'
import { type LibraryAnswer, type LibraryMessage, LibraryRequest } from './library-protocol.ts'

// node-llama-cpp as it comes: one context with its own batching and its own defaults, on one thread of the CPU.

type Generate = Extract<LibraryRequest, { kind: 'generate' }>

let model: LlamaModel | undefined
let sequences: LlamaContextSequence[] = []

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.on('message', (message) => {
  const request = v.parse(LibraryRequest, message)
  void (request.kind === 'load' ? load(request) : generate(request)).then(send)
})

function send(message: LibraryMessage): void {
  process.send?.(message)
}

async function load(request: Extract<LibraryRequest, { kind: 'load' }>): Promise<LibraryMessage> {
  const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, maxThreads: 1 })
  model = await llama.loadModel({ modelPath: request.modelFile })
  const context = await model.createContext({
    sequences: request.slots,
    contextSize: request.contextTokens,
    threads: 1,
  })
  sequences = Array.from({ length: request.slots }, () => context.getSequence())
  return { kind: 'loaded' }
}

async function generate(request: Generate): Promise<LibraryAnswer> {
  const begun = performance.now()
  const sequence = sequences[request.slot]
  if (model === undefined || sequence === undefined) throw new Error(`There is no slot ${request.slot}`)
  const prompt = model.tokenize(request.prompt, true)
  if (request.fresh) await sequence.clearHistory()
  else await keepShared(sequence, prompt)
  const rest: Token[] = prompt.slice(sequence.nextTokenIndex)
  let answerTokens = 0
  let firstTokenMs = 0
  for await (const token of sequence.evaluate(rest, { temperature: 0, yieldEogToken: true })) {
    if (firstTokenMs === 0) firstTokenMs = performance.now() - begun
    if (model.isEogToken(token)) break
    if (++answerTokens >= request.answerTokensMax) break
  }
  const totalMs = performance.now() - begun
  return { kind: 'generated', id: request.id, promptTokens: prompt.length, answerTokens, firstTokenMs, totalMs }
}

/** Cuts the sequence to what it shares with the prompt, but for a last token to start sampling from. */
async function keepShared(sequence: LlamaContextSequence, prompt: Token[]): Promise<void> {
  const { firstDifferentIndex } = sequence.compareContextTokens(prompt)
  const start = Math.min(firstDifferentIndex, prompt.length - 1)
  if (start < sequence.nextTokenIndex) await sequence.eraseContextTokenRanges([{ start, end: sequence.nextTokenIndex }])
}
