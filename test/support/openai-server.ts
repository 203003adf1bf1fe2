import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { AnswerGrammar, AnswerSchema } from '#gpu-worker/ports/answer-grammar.ts'
import type { ChatTurn, LanguageModel } from '#gpu-worker/ports/language-model.ts'
import { AppError } from '#shared/errors.ts'

/** What a server does instead of answering well, for one call. */
export type ServerFault =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly body?: string
      readonly headers?: Readonly<Record<string, string>>
    }
  /** The connection ends after this many pieces of the answer; with 0 before anything. */
  | { readonly kind: 'cut'; readonly afterPieces: number }
  /** Nothing more comes after this many pieces, until the caller goes away; `pieceMs` passes before each of them. */
  | { readonly kind: 'silence'; readonly afterPieces: number; readonly pieceMs?: number }
  /** In place of the answer, as it is. */
  | { readonly kind: 'body'; readonly body: string; readonly contentType?: string }
  /** The answer comes, this much later. */
  | { readonly kind: 'late'; readonly ms: number }

export interface OpenAiServerOptions {
  /** Does the inference. The caller's to close. */
  readonly model: LanguageModel
  /** As llama-server (the default), or as a server that has nothing beside the OpenAI style itself. */
  readonly like?: 'llama-server' | 'plain'
  /** The names that are listed; `demo` where left out. */
  readonly listed?: readonly string[]
  readonly tellsUsage?: boolean
  /** Refuses the field `stream_options`, as old servers do. */
  readonly refusesStreamOptions?: boolean
  /** Refuses what asks for a form of the answer, as servers do that have no such thing. */
  readonly refusesForms?: boolean
  /** Of the model, as llama-server tells it; ChatML's where left out. */
  readonly template?: string
  /** Sends this ahead of the answer, as thoughts. */
  readonly thoughts?: string
  /** What a call must carry as a bearer token. */
  readonly key?: string
}

/** An OpenAI-style server whose answers are a real model's. */
export interface OpenAiServer {
  /** What `openai:` takes: ends in `/v1`. */
  readonly url: string
  /** The next chat calls meet these, one each, in order; after them all goes well again. */
  fail(...faults: ServerFault[]): void
  /** Chat calls that came, with what they sent. */
  readonly calls: readonly { readonly body: ChatBody; readonly headers: IncomingHttpHeaders }[]
  /** Paths that were asked for, in order. */
  readonly paths: readonly string[]
  /** Chat calls that are being answered. */
  readonly open: number
  /** Breaks what is under way. May be called again. */
  close(): Promise<void>
}

interface ChatBody {
  readonly model: string
  readonly messages: readonly { readonly role: ChatTurn['role']; readonly content: string }[]
  readonly max_tokens: number
  readonly temperature: number
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly response_format?: { readonly type: 'json_schema'; readonly json_schema: { readonly schema: AnswerSchema } }
  /** llama-server's own. */
  readonly grammar?: string
}

/** What a call asks the answer to be like, as far as such a server knows of it. */
function grammarOf({ response_format, grammar }: ChatBody, own: boolean): { readonly grammar?: AnswerGrammar } {
  if (response_format !== undefined) return { grammar: { kind: 'json', schema: response_format.json_schema.schema } }
  return own && grammar !== undefined ? { grammar: { kind: 'gbnf', text: grammar } } : {}
}

/** Starts it on a free port of the loopback. */
export async function startOpenAiServer(options: OpenAiServerOptions, port = 0): Promise<OpenAiServer> {
  const { model, like = 'llama-server', listed = ['demo'] } = options
  const calls: OpenAiServer['calls'][number][] = []
  const paths: string[] = []
  const faults: ServerFault[] = []
  const sockets = new Set<Socket>()
  let open = 0

  async function answerChat(body: ChatBody, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const fault = faults.shift()
    if (fault?.kind === 'status') {
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers })
      return void response.end(fault.body ?? JSON.stringify({ error: { message: 'Something went wrong' } }))
    }
    if (options.refusesStreamOptions === true && body.stream_options !== undefined) {
      return sendError(response, 400, { message: 'Unrecognized request argument supplied: stream_options' })
    }
    const form = (['response_format', 'grammar'] as const).find((field) => body[field] !== undefined)
    if (options.refusesForms === true && form !== undefined) {
      return sendError(response, 400, { message: `Unrecognized request argument supplied: ${form}` })
    }
    if (fault?.kind === 'body') {
      response.writeHead(200, { 'content-type': fault.contentType ?? 'text/event-stream' })
      return void response.end(fault.body)
    }
    if (fault?.kind === 'late') await setTimeout(fault.ms)
    const stopAfter = fault?.kind === 'cut' || fault?.kind === 'silence' ? fault.afterPieces : null
    if (stopAfter === 0) return stop(response, fault, gone.signal)

    const turns = body.messages.map(({ role, content }) => ({ role, text: content }))
    const answer = await model.generate(
      {
        turns,
        answerTokensMax: body.max_tokens,
        temperature: body.temperature,
        ...grammarOf(body, like === 'llama-server'),
      },
      { signal: gone.signal },
    )
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const send = (chunk: object) => response.write(`data: ${JSON.stringify(chunk)}\n\n`)
    const sendDelta = (delta: object, finish_reason: string | null = null) =>
      send({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })
    sendDelta({ role: 'assistant', content: null })
    if (options.thoughts !== undefined) sendDelta({ reasoning_content: options.thoughts })
    for (const [index, content] of piecesOf(answer.text).entries()) {
      if (index === stopAfter) return stop(response, fault, gone.signal)
      if (fault?.kind === 'silence' && fault.pieceMs !== undefined) await setTimeout(fault.pieceMs)
      sendDelta({ content })
    }
    sendDelta({}, answer.stopReason === 'length' ? 'length' : 'stop')
    if (options.tellsUsage !== false && body.stream_options?.include_usage === true) {
      const { prompt_tokens, cached_prompt_tokens, completion_tokens } = answer.usage
      const usage = {
        prompt_tokens,
        prompt_tokens_details: { cached_tokens: cached_prompt_tokens },
        completion_tokens,
        total_tokens: prompt_tokens + completion_tokens,
      }
      send({ object: 'chat.completion.chunk', choices: [], usage })
    }
    response.end('data: [DONE]\n\n')
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    paths.push(path)
    const { authorization } = request.headers
    if (options.key !== undefined && authorization !== `Bearer ${options.key}`) {
      return sendError(response, 401, { message: `Incorrect API key provided: ${authorization}` })
    }
    const own = like === 'llama-server'
    if (path === '/v1/models') {
      const owned_by = own ? 'llamacpp' : 'library'
      return sendJson(response, { object: 'list', data: listed.map((id) => ({ id, object: 'model', owned_by })) })
    }
    if (path === '/v1/chat/completions') {
      const body = JSON.parse(await readText(request)) as ChatBody
      calls.push({ body, headers: request.headers })
      open++
      try {
        return await answerChat(body, response)
      } finally {
        open--
      }
    }
    if (own && path === '/props') {
      // Loads the model, without which its context is not known.
      await model.countTokens('', AbortSignal.timeout(20_000))
      return sendJson(response, {
        default_generation_settings: { n_ctx: model.info().context_tokens },
        chat_template: options.template ?? '{{ messages }}<|im_start|>assistant',
      })
    }
    if (own && path === '/tokenize') {
      const { content } = JSON.parse(await readText(request)) as { content: string }
      const tokens = await model.countTokens(content, AbortSignal.timeout(20_000))
      return sendJson(response, { tokens: Array.from({ length: tokens }, (_, index) => index) })
    }
    sendError(response, 404, { message: 'File Not Found', type: 'not_found_error' })
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!(error instanceof AppError) || response.headersSent) return void response.destroy()
      if (error.code !== 'context_overflow') return sendError(response, 500, { message: error.message })
      // As llama-server says it.
      sendError(response, 400, {
        message: 'the request exceeds the available context size, try increasing it',
        type: 'exceed_context_size_error',
        n_prompt_tokens: error.details?.prompt_tokens,
        n_ctx: error.details?.context_tokens,
      })
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  let closed: Promise<void> | undefined
  async function close(): Promise<void> {
    const end = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await end
  }
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    fail: (...more) => void faults.push(...more),
    calls,
    paths,
    get open() {
      return open
    },
    close: () => {
      closed ??= close()
      return closed
    },
  }
}

async function stop(response: ServerResponse, fault: ServerFault | undefined, gone: AbortSignal): Promise<void> {
  if (fault?.kind === 'cut') {
    // What was sent shall arrive before the end does.
    if (response.headersSent) await new Promise((resolve) => response.write(': the end\n\n', resolve))
    return void response.destroy()
  }
  if (!gone.aborted) await once(gone, 'abort')
}

/** Words and the spaces before them: about what tokens are. */
const piecesOf = (text: string): string[] => text.match(/\s*\S+|\s+$/g) ?? []

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function sendError(response: ServerResponse, status: number, error: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ error }))
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}
