/**
 * The process that holds the model. Started by node-llama-cpp.ts with an IPC channel; the only file that loads the
 * engine, so that whatever the engine does to its process, the daemon goes on.
 */
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ChatHistoryItem,
  GgmlType,
  getLlama,
  type Llama,
  type LlamaModel,
  resolveChatWrapper,
  resolveModelFile,
  type Token,
} from 'node-llama-cpp'
import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { ANSWER_TAIL_CHARACTERS_MAX } from '#shared/protocol/limits.ts'
import { answerTail } from '../inference/answer-tail.ts'
import {
  createPlainEncoder,
  type EncodePlain,
  encodeChatMl,
  type Tokenizer,
  usesChatMl,
} from '../inference/chat-encoding.ts'
import {
  type ChildMessage,
  type ChildProgress,
  type ChildReply,
  ChildRequest,
  type ChildStatus,
  type Machine,
} from '../inference/child-protocol.ts'
import { draftRefused } from '../inference/draft-refused.ts'
import { toEngineFlashAttention } from '../inference/flash-attention.ts'
import type { Levers } from '../inference/levers.ts'
import { chooseSlotCount } from '../inference/slot-count.ts'
import { chooseThreads } from '../inference/threads.ts'
import type { ChatTurn } from '../ports/language-model.ts'
import { readFingerprint } from './model-file.ts'
import { Grammars } from './node-llama-cpp-grammar.ts'
import { ModelSlots, type StateFiles } from './node-llama-cpp-slots.ts'

type Request<Kind extends ChildRequest['kind']> = Extract<ChildRequest, { kind: Kind }>

/** As `spawnChild` in node-llama-cpp.ts writes them. The states folder is empty where nothing is to be kept. */
const [device, progressIntervalMs, statesFolder = '', statesBytesMax = '0'] = process.argv.slice(2)
const PROGRESS_INTERVAL_MS = Number(progressIntervalMs)
const STATUS_INTERVAL_MS = 2000
/** The engine's log comes through the event loop, behind its error; the daemon ends a process that could not load. */
const LAST_WORDS_MS = 50
/** A server that does not answer within this is taken as not reachable. */
const CONNECT_TIMEOUT_MS = 8000

interface Loaded {
  readonly model: LlamaModel
  readonly slots: ModelSlots
  readonly grammars: Grammars
  readonly encode: (turns: readonly ChatTurn[]) => number[]
  readonly encodePlain: EncodePlain
}

const gpuWanted = device === 'cpu' ? false : 'auto'
let engine: Promise<Llama> | undefined
let loaded: Loaded | undefined
const running = new Map<number, AbortController>()

// Nothing orderly: the engine may be inside a long native call, on threads that an exit would wait for or trip over.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// Ctrl-C reaches the whole group. Whether this process ends is the daemon's decision.
process.on('SIGINT', () => {})
process.on('message', (message) => {
  const request = v.parse(ChildRequest, message)
  if (request.kind === 'abort') running.get(request.id)?.abort()
  else void serve(request)
})
setInterval(() => void sendStatus(), STATUS_INTERVAL_MS).unref()

function send(message: ChildMessage): void {
  if (process.connected) process.send?.(message)
}

async function serve(request: Exclude<ChildRequest, { kind: 'abort' }>): Promise<void> {
  const abort = new AbortController()
  running.set(request.id, abort)
  try {
    send(await answer(request, abort.signal))
    if (request.kind === 'load') await sendStatus()
  } catch (error) {
    if (request.kind === 'load') await sleep(LAST_WORDS_MS)
    const refusal = error instanceof AppError ? error : new AppError('model_unavailable', plainMessage(error))
    send({ kind: 'refused', id: request.id, error: refusal.toWire() })
  } finally {
    running.delete(request.id)
  }
}

function answer(request: Exclude<ChildRequest, { kind: 'abort' }>, signal: AbortSignal): Promise<ChildReply> {
  switch (request.kind) {
    case 'probe':
      return probe(request)
    case 'download':
      return download(request)
    case 'load':
      return load(request)
    case 'generate':
      return generate(request, signal)
    case 'count':
      return count(request)
  }
}

function startEngine(): Promise<Llama> {
  engine ??= getLlama({
    gpu: gpuWanted,
    // It may try to compile, or to fetch its source, otherwise.
    build: 'never',
    skipDownload: true,
    maxThreads: 1,
    logger: (level, message) => process.stderr.write(`${level}: ${message.trimEnd()}\n`),
  })
  return engine
}

async function readGpu(llama: Llama): Promise<Machine['gpu']> {
  if (llama.gpu === false) return null
  const { total, used } = await llama.getVramState()
  const [name] = await llama.getGpuDeviceNames()
  return total === 0 ? null : { name: name ?? llama.gpu, memoryBytes: total, memoryUsedBytes: used }
}

async function sendStatus(): Promise<void> {
  const status: ChildStatus = { kind: 'status', residentBytes: process.memoryUsage.rss(), gpu: null }
  const llama = loaded === undefined ? undefined : await engine
  send(llama === undefined ? status : { ...status, gpu: await readGpu(llama) })
}

async function probe({ id }: Request<'probe'>): Promise<ChildReply> {
  const llama = await startEngine()
  return {
    kind: 'machine',
    id,
    machine: {
      gpu: await readGpu(llama),
      memoryFreeBytes: process.availableMemory(),
      mathCores: llama.cpuMathCores,
    },
  }
}

async function download({ id, uri, folder }: Request<'download'>): Promise<ChildReply> {
  const options = { directory: folder, cli: false, deleteTempFileOnCancel: false }
  const there = await resolveModelFile(uri, { ...options, download: false }).catch(() => null)
  if (there !== null) return { kind: 'downloaded', id, path: there }

  // The library retries for minutes against a server that cannot be reached; this asks once.
  await reach(uri)
  const report = createThrottle((progress: ChildProgress) => send(progress))
  send({ kind: 'downloading', id, bytes: 0, bytesTotal: null })
  let bytesBefore = 0
  const path = await resolveModelFile(uri, {
    ...options,
    onProgress: ({ totalSize, downloadedSize }) => {
      // It also ticks while nothing arrives, which must look like silence.
      if (downloadedSize === bytesBefore) return
      bytesBefore = downloadedSize
      report({ kind: 'downloading', id, bytes: downloadedSize, bytesTotal: totalSize > 0 ? totalSize : null })
    },
  })
  return { kind: 'downloaded', id, path }
}

/** Throws AppError `model_unavailable` where the server of this URI does not answer or does not have the file. */
async function reach(uri: string): Promise<void> {
  const url = toAddress(uri)
  let status: number
  try {
    const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
    status = response.status
  } catch (error) {
    throw new AppError('model_unavailable', `${url.host} cannot be reached (${networkCause(error)})`)
  }
  if (status === 404 || status === 410)
    throw new AppError('model_unavailable', `${url.host} does not have it (${status})`)
}

/** The same endpoint as the library takes: MODEL_ENDPOINT or HF_ENDPOINT may name a mirror. */
function toAddress(uri: string): URL {
  const reference = /^(?:hf|huggingface):(?:\/\/)?([^/]+\/[^/:]+)(?:\/([^#]+)(?:#(.+))?)?/.exec(uri)
  if (reference === null) return new URL(uri)
  const endpoint = process.env.MODEL_ENDPOINT ?? process.env.HF_ENDPOINT ?? 'https://huggingface.co'
  const [, repository, file, branch = 'main'] = reference
  const base = endpoint.replace(/\/$/, '')
  return new URL(file === undefined ? `${base}/` : `${base}/${repository}/resolve/${branch}/${file}`)
}

function networkCause(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer in ${CONNECT_TIMEOUT_MS / 1000} s`
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
  return cause instanceof Error ? cause.message : plainMessage(error)
}

async function load(request: Request<'load'>): Promise<ChildReply> {
  const { id, path, threads, contextTokensMax, slots: slotsWanted, levers } = request
  const llama = await startEngine()
  const used =
    threads ??
    chooseThreads({
      mathCores: llama.cpuMathCores,
      logicalCores: os.availableParallelism(),
      load: os.loadavg()[0] ?? 0,
    })
  llama.maxThreads = used
  const report = createThrottle((progress: ChildProgress) => send(progress))
  const model = await llama.loadModel({
    modelPath: path,
    gpuLayers: { fitContext: { contextSize: Math.min(4096, contextTokensMax) } },
    onLoadProgress: (fraction) => report({ kind: 'loading', id, fraction }),
  })
  const draft = levers.draftModel === null ? null : await loadDraft(llama, levers.draftModel)
  // llama.cpp accepts more than the model was trained for, and answers nonsense beyond it.
  const tokensMax = Math.min(model.trainContextSize, contextTokensMax)
  const count = slotsWanted ?? (await countSlots(llama, model, tokensMax, levers))
  const contextSize = { min: Math.min(2048, tokensMax), max: tokensMax }
  const states = await describeStates(path)
  const slots = await ModelSlots.create(model, count, { contextSize, threads: used, levers, draft, states })
  const tokenizer: Tokenizer = {
    tokenize: (text, control) => (text === '' ? [] : model.tokenize(text, control)),
  }
  const encodePlain = createPlainEncoder(tokenizer, userDefinedTokens(model))
  const grammars = new Grammars(llama, model)
  loaded = { model, slots, grammars, encodePlain, encode: chooseEncoding(model, tokenizer, encodePlain) }
  const contextTokens = Math.min(slots.contextTokens, tokensMax)
  return { kind: 'loaded', id, contextTokens, slots: slots.count, threads: used, gpuLayers: model.gpuLayers }
}

async function describeStates(modelPath: string): Promise<StateFiles | null> {
  if (statesFolder === '') return null
  return { folder: statesFolder, bytesMax: Number(statesBytesMax), engine: (await readFingerprint(modelPath)) ?? '' }
}

async function loadDraft(llama: Llama, path: string): Promise<LlamaModel> {
  try {
    return await llama.loadModel({ modelPath: path })
  } catch (error) {
    throw draftRefused(path, plainMessage(error), error)
  }
}

async function countSlots(
  llama: Llama,
  model: LlamaModel,
  contextTokens: number,
  { flashAttention, kvCache }: Levers,
): Promise<number> {
  const cacheType = kvCache === 'q8_0' ? GgmlType.Q8_0 : GgmlType.F16
  const gpuFree = llama.gpu === false ? 0 : (await llama.getVramState()).free
  return chooseSlotCount({
    contextTokens,
    free: { gpu: gpuFree, main: process.availableMemory() },
    estimate: async (sequences) => {
      const { gpuVram, cpuRam } = await model.fileInsights.estimateContextResourceRequirementsV2({
        contextSize: contextTokens,
        sequences,
        modelGpuLayers: model.gpuLayers,
        flashAttention: toEngineFlashAttention(flashAttention),
        kvCacheKeyType: cacheType,
        kvCacheValueType: cacheType,
      })
      return { gpu: gpuVram, main: cpuRam }
    },
  })
}

function userDefinedTokens(model: LlamaModel): string[] {
  const texts: string[] = []
  for (const token of model.iterateAllTokens()) {
    if (model.getTokenAttributes(token).userDefined) texts.push(model.detokenize([token], true))
  }
  return texts
}

/** ChatML is encoded exactly, by ourselves; any other template through the library's reading of it. */
function chooseEncoding(model: LlamaModel, tokenizer: Tokenizer, plain: EncodePlain): Loaded['encode'] {
  if (usesChatMl(model.fileInfo.metadata.tokenizer?.chat_template, tokenizer)) {
    return (turns) => encodeChatMl(turns, tokenizer, plain)
  }
  const wrapper = resolveChatWrapper(model)
  const guarded = Object.assign(
    (text: string, control?: boolean | 'builtin', option?: 'trimLeadingSpace'): Token[] =>
      control === undefined || control === false
        ? plain(text).map(toToken)
        : tokenizeControl(model, text, control, option),
    {
      detokenize: model.tokenizer.detokenize,
      isSpecialToken: model.tokenizer.isSpecialToken,
      isEogToken: model.tokenizer.isEogToken,
    },
  )
  return (turns) => {
    const { contextText } = wrapper.generateContextState({
      chatHistory: [
        ...turns.map(
          ({ role, text }): ChatHistoryItem =>
            role === 'assistant' ? { type: 'model', response: [text] } : { type: role, text },
        ),
        { type: 'model', response: [] },
      ],
    })
    const tokens = contextText.tokenize(guarded)
    const { bos, shouldPrependBosToken } = model.tokens
    return shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens
  }
}

function tokenizeControl(
  model: LlamaModel,
  text: string,
  control: true | 'builtin',
  option?: 'trimLeadingSpace',
): Token[] {
  if (control === true) return model.tokenize(text, true, option)
  switch (text) {
    case 'BOS':
    case 'EOS':
    case 'NL':
    case 'EOT':
    case 'SEP':
      return model.tokenize(text, 'builtin')
    default:
      throw new Error(`The chat template uses the unknown token ${text}`)
  }
}

/** The library brands its tokens; the rest of the project counts in plain numbers. */
const toToken = (token: number) => token as Token

async function count({ id, text }: Request<'count'>): Promise<ChildReply> {
  return { kind: 'counted', id, tokens: needModel().encodePlain(text).length }
}

async function generate(request: Request<'generate'>, signal: AbortSignal): Promise<ChildReply> {
  const { id, turns, answerTokensMax, temperature, cacheKey, grammar } = request
  const { model, slots, grammars, encode } = needModel()
  const started = performance.now()
  const prompt = encode(turns).map(toToken)
  checkRoom(prompt.length, answerTokensMax, slots.contextTokens)
  const guide = grammar === null || opensThinking(model, prompt) ? null : await grammars.guide(grammar)

  type Report = Parameters<typeof slots.generate>[0]['onProgress']
  const report: Report = (phase, tokens, promptTokens, answer) => {
    const tail = answerTail(model.detokenize(answer.slice(-ANSWER_TAIL_CHARACTERS_MAX)))
    send({ kind: 'generating', id, phase, tokens, promptTokens, promptTokensTotal: prompt.length, tail })
  }
  // One for each phase: the first token is told of at once, however soon it comes after the prompt.
  const reports = { prompt: createThrottle(report), generating: createThrottle(report) }
  const onProgress: Report = (phase, ...rest) => reports[phase](phase, ...rest)
  try {
    const answer = await slots.generate({ prompt, answerTokensMax, temperature, cacheKey, guide, signal, onProgress })
    const { tokens, firstTokenAt } = answer
    const generatingMs = firstTokenAt === null ? 0 : performance.now() - firstTokenAt
    return {
      kind: 'answer',
      id,
      text: model.detokenize(tokens),
      stopReason: answer.stopReason,
      promptTokens: prompt.length,
      cachedTokens: answer.cachedTokens,
      answerTokens: tokens.length,
      timeToFirstTokenMs: firstTokenAt === null ? null : Math.round(firstTokenAt - started),
      tokensPerSecond: tokens.length > 1 && generatingMs > 0 ? ((tokens.length - 1) / generatingMs) * 1000 : null,
    }
  } catch (error) {
    if (signal.aborted) throw new AppError('cancelled', 'The call was cancelled')
    throw error
  }
}

/** Some templates open the model's thinking themselves; the answer then has no form until it is over. */
const opensThinking = (model: LlamaModel, prompt: readonly Token[]): boolean =>
  /<think(?:ing)?>\s*$/.test(model.detokenize(prompt.slice(-8), true))

function needModel(): Loaded {
  if (loaded === undefined) throw new Error('No model is loaded')
  return loaded
}

/** The engine would cut a prompt that is too long, and say nothing. */
function checkRoom(promptTokens: number, answerTokens: number, contextTokens: number): void {
  if (promptTokens + answerTokens <= contextTokens) return
  throw new AppError(
    'context_overflow',
    `Cannot answer: prompt of ${promptTokens} tokens and answer of up to ${answerTokens}, limit ${contextTokens}`,
    {
      hint: 'Give fewer or smaller context files, split the managed file, or use a model with a larger context',
      details: { prompt_tokens: promptTokens, answer_tokens_max: answerTokens, context_tokens: contextTokens },
    },
  )
}

function createThrottle<Arguments extends unknown[]>(call: (...args: Arguments) => void): (...args: Arguments) => void {
  let last = Number.NEGATIVE_INFINITY
  return (...args) => {
    const now = performance.now()
    if (now - last < PROGRESS_INTERVAL_MS) return
    last = now
    call(...args)
  }
}

const plainMessage = (error: unknown) => (error instanceof Error ? error.message : String(error))
