import OpenAI, { APIConnectionError, APIError } from 'openai'
import * as v from 'valibot'
import { editsAtOnce } from '../inference/edit-stages.ts'
import type { ServerAddress } from '../inference/model-list.ts'
import { ServerModel, type ServerTimes } from '../inference/server-model.ts'
import type { AnswerGrammar } from '../ports/answer-grammar.ts'
import {
  type ChatPiece,
  type ChatServer,
  type ChatServerRequest,
  type ListedModel,
  ServerFailure,
} from '../ports/chat-server.ts'

export interface OpenAiModelOptions {
  readonly name: string
  readonly server: ServerAddress
  /** Sent as a bearer token, and to nowhere else; null sends none. */
  readonly key: string | null
  /** Calls at once; one more is `busy`. */
  readonly callsMax?: number
  /** What happens with the server, in lines for the daemon's log. */
  readonly log?: (line: string) => void
  readonly times?: Partial<ServerTimes>
}

const DEFAULT_TIMES: ServerTimes = {
  connect: 10_000,
  firstToken: 240_000,
  silence: 60_000,
  retryDelays: [250, 1000, 4000],
  retryAfterMax: 10_000,
  knowledgeAge: 10_000,
}

/** A model at an OpenAI-style address. Begins to ask the server what it is, and returns at once. */
export function createOpenAiModel(options: OpenAiModelOptions): ServerModel {
  const model = new ServerModel({
    name: options.name,
    server: createOpenAiServer(options.server.url, options.key),
    model: options.server.model,
    callsMax: options.callsMax ?? 32,
    log: options.log ?? (() => {}),
    times: { ...DEFAULT_TIMES, ...options.times },
  })
  model.probe()
  return model
}

const Models = v.object({
  data: v.array(
    v.object({
      id: v.string(),
      owned_by: v.nullish(v.string()),
      /** vLLM. */
      max_model_len: v.nullish(v.number()),
      /** llama-server. */
      meta: v.nullish(v.object({ n_ctx: v.nullish(v.number()) })),
    }),
  ),
})

/** Of llama-server: one slot's context, and how it writes a conversation. */
const Properties = v.object({
  default_generation_settings: v.object({ n_ctx: v.number() }),
  chat_template: v.nullish(v.string()),
})

/** llama-server sends the tokens, vLLM their number too. */
const Tokens = v.object({ tokens: v.array(v.unknown()) })

const Chunk = v.object({
  choices: v.nullish(
    v.array(
      v.object({
        delta: v.nullish(
          v.object({
            content: v.nullish(v.string()),
            /** Where a server tells a model's thoughts apart: two names are in use. */
            reasoning_content: v.nullish(v.string()),
            reasoning: v.nullish(v.string()),
          }),
        ),
        finish_reason: v.nullish(v.string()),
      }),
    ),
  ),
  usage: v.nullish(
    v.object({
      prompt_tokens: v.number(),
      completion_tokens: v.number(),
      prompt_tokens_details: v.nullish(v.object({ cached_tokens: v.nullish(v.number()) })),
    }),
  ),
})

/** What a server may say about its refusal, in `error`. */
const ErrorBody = v.object({
  message: v.nullish(v.string()),
  code: v.nullish(v.union([v.string(), v.number()])),
  type: v.nullish(v.string()),
  n_prompt_tokens: v.nullish(v.number()),
  n_ctx: v.nullish(v.number()),
})

function createOpenAiServer(url: string, key: string | null): ChatServer {
  const client = new OpenAI({
    baseURL: url,
    // The client wants one in any case; what is sent is decided in `fetch`.
    apiKey: 'none',
    // Otherwise read from the environment, where they are meant for another place.
    organization: null,
    project: null,
    adminAPIKey: null,
    logLevel: 'off',
    fetch: (address, init) => fetch(address, { ...init, headers: chooseHeaders(init?.headers, key) }),
    // Ours are counted over the whole call, and end with the first token.
    maxRetries: 0,
    // The longest that `fetch` itself waits for an answer to begin; we give up before.
    timeout: 300_000,
    // The prompt and the key go to the address that was configured, and to no other.
    fetchOptions: { redirect: 'error' },
  })
  const { host, origin, pathname } = new URL(url)
  /** What these servers offer beside the OpenAI style lies above `/v1`. */
  const top = `${origin}${pathname.replace(/\/v1$/, '')}`
  const toFailure = (error: unknown) => describeFailure(error, key)
  /** Null where the server has no such thing. */
  const orNone = async <Value>(request: Promise<Value>): Promise<Value | null> => {
    try {
      return await request
    } catch (error) {
      if (error instanceof APIError && [400, 404, 405, 422, 501].includes(error.status ?? 0)) return null
      throw toFailure(error)
    }
  }

  async function contextOf(model: v.InferOutput<typeof Models>['data'][number], signal: AbortSignal) {
    const told = model.max_model_len ?? model.meta?.n_ctx ?? 0
    // A llama-server that has not loaded a model yet says 0.
    if (told > 0) return told
    if (model.owned_by !== 'llamacpp') return null
    const properties = v.safeParse(Properties, await orNone(client.get(`${top}/props`, { signal })))
    const tokens = properties.success ? properties.output.default_generation_settings.n_ctx : 0
    return tokens > 0 ? tokens : null
  }

  let isLlamaServer = false
  let takesGrammars: boolean | null = null
  /**
   * Whether a grammar may be sent: to llama-server, which alone has a field for it. Not where its template knows of
   * thinking, because what a server takes for a thought is held to the grammar too.
   */
  async function mayTakeGrammar(signal: AbortSignal): Promise<boolean> {
    if (!isLlamaServer) return false
    if (takesGrammars === null) {
      const properties = v.safeParse(Properties, await orNone(client.get(`${top}/props`, { signal })))
      const template = properties.success ? (properties.output.chat_template ?? '') : ''
      takesGrammars = template !== '' && !/think|reasoning|<\|channel\|>/i.test(template)
    }
    return takesGrammars
  }

  async function formOf(grammar: AnswerGrammar | null, signal: AbortSignal): Promise<Form> {
    if (grammar === null) return {}
    if (grammar.kind === 'json') {
      const { schema } = grammar
      return { response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } } }
    }
    if (!(await mayTakeGrammar(signal))) return {}
    return { grammar: grammar.kind === 'gbnf' ? grammar.text : editsAtOnce(grammar) }
  }

  /** Fields that the server has refused, and will not be sent again. */
  const refused = new Set<keyof Extras>()
  async function open(request: ChatServerRequest, signal: AbortSignal) {
    const extras: Extras = { stream_options: { include_usage: true }, ...(await formOf(request.grammar, signal)) }
    for (const field of refused) delete extras[field]
    for (;;) {
      try {
        return await client.chat.completions.create(
          {
            model: request.model,
            messages: request.turns.map(({ role, text }) => ({ role, content: text })),
            // Its successor's name is known to few of these servers.
            max_tokens: request.answerTokensMax,
            temperature: request.temperature,
            stream: true,
            ...extras,
          },
          { signal },
        )
      } catch (error) {
        const field = error instanceof APIError ? refusedField(error, extras) : null
        if (field === null) throw error
        delete extras[field]
        // Another grammar may be taken.
        if (field !== 'grammar') refused.add(field)
      }
    }
  }

  return {
    host,

    async listModels(signal) {
      const listed = await orNone<unknown>(client.get('/models', { signal }))
      if (listed === null) return null
      const parsed = v.safeParse(Models, listed)
      if (!parsed.success) throw new ServerFailure('garbage', 'lists its models in no form that is known')
      const { data } = parsed.output
      isLlamaServer = data.some(({ owned_by }) => owned_by === 'llamacpp')
      // It may have another model now.
      takesGrammars = null
      return Promise.all(
        data.map(
          async (model): Promise<ListedModel> => ({
            id: model.id,
            contextTokens: await contextOf(model, signal),
            answersToAnyName: model.owned_by === 'llamacpp' && data.length === 1,
          }),
        ),
      )
    },

    async countTokens(model, text, signal) {
      // One body for both kinds of server: each reads its own fields.
      const body = {
        content: text,
        parse_special: false,
        add_special: false,
        model,
        prompt: text,
        add_special_tokens: false,
      }
      const counted = v.safeParse(Tokens, await orNone<unknown>(client.post(`${top}/tokenize`, { body, signal })))
      return counted.success ? counted.output.tokens.length : null
    },

    async *stream(request, signal) {
      try {
        for await (const chunk of await open(request, signal)) yield toPiece(chunk)
      } catch (error) {
        throw toFailure(error)
      }
    },
  }
}

/** What asks for a form of the answer. `grammar` is llama-server's own. */
interface Form {
  response_format?: OpenAI.ResponseFormatJSONSchema
  grammar?: string
}

/** What some of these servers do not know, and refuse. */
interface Extras extends Form {
  stream_options?: { include_usage: true }
}

const NAMES: Readonly<Record<keyof Extras, RegExp>> = {
  stream_options: /stream_options|include_usage/,
  response_format: /response_format|json_schema/,
  grammar: /grammar/i,
}

/** The field that an error names, of those that were sent. */
function refusedField(error: APIError, sent: Extras): keyof Extras | null {
  const fields = ['stream_options', 'response_format', 'grammar'] as const
  return fields.find((field) => sent[field] !== undefined && NAMES[field].test(error.message)) ?? null
}

const HEADERS_SENT = ['accept', 'content-type', 'user-agent']

/** Only what the call needs: the client would add facts about this machine, and headers out of OPENAI_CUSTOM_HEADERS. */
function chooseHeaders(given: ConstructorParameters<typeof Headers>[0], key: string | null): Headers {
  const headers = new Headers(given)
  for (const name of [...headers.keys()]) if (!HEADERS_SENT.includes(name)) headers.delete(name)
  if (key !== null) headers.set('authorization', `Bearer ${key}`)
  return headers
}

function toPiece(chunk: unknown): ChatPiece {
  const parsed = v.safeParse(Chunk, chunk)
  if (!parsed.success) throw new ServerFailure('garbage', 'sent something that is no piece of a chat completion')
  const { choices, usage } = parsed.output
  const [choice] = choices ?? []
  const { content, reasoning_content, reasoning } = choice?.delta ?? {}
  return {
    text: content ?? '',
    thinking: (reasoning_content ?? reasoning ?? '') !== '',
    finish: choice?.finish_reason ?? null,
    usage: usage
      ? {
          promptTokens: usage.prompt_tokens,
          cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
          completionTokens: usage.completion_tokens,
        }
      : null,
  }
}

function describeFailure(error: unknown, key: string | null): unknown {
  const options = { cause: error }
  if (error instanceof ServerFailure || !(error instanceof Error)) return error
  if (error instanceof SyntaxError) return new ServerFailure('garbage', 'sent something that is not JSON', {}, options)
  if (error instanceof APIConnectionError) {
    const cause = causeOf(error)
    // The platform has no code for it.
    if (cause === 'unexpected redirect')
      return new ServerFailure('garbage', 'redirects to another address', {}, options)
    return new ServerFailure('connection', `cannot be reached (${cause})`, {}, options)
  }
  if (!(error instanceof APIError)) {
    // What `fetch` says of a connection that ends too soon.
    return error instanceof TypeError ? new ServerFailure('connection', 'broke the connection', {}, options) : error
  }
  const status: number | null = error.status ?? null
  const parsed = v.safeParse(ErrorBody, error.error)
  const body = parsed.success ? parsed.output : {}
  const said = clean(body.message ?? error.message, key)
  const facts = {
    status,
    codes: [body.code, body.type].filter((each) => typeof each === 'string'),
    retryAfterMs: readRetryAfter(error.headers),
    promptTokens: body.n_prompt_tokens ?? null,
    contextTokens: body.n_ctx ?? null,
  }
  return new ServerFailure('refused', `refused${status === null ? '' : ` with ${status}`}: ${said}`, facts, options)
}

const SAID_CHARACTERS_MAX = 300

/** A server's words, fit to be shown: one line, of bounded length, without the key, which some servers repeat. */
function clean(text: string, key: string | null): string {
  const hidden = key === null ? text : text.replaceAll(key, '[key]')
  const line = hidden.replace(/[\p{C}\s]+/gu, ' ').trim()
  return line.length > SAID_CHARACTERS_MAX ? `${line.slice(0, SAID_CHARACTERS_MAX)}…` : line
}

/** The code of the system's error, or its last words, several layers down. */
function causeOf(error: Error): string {
  let deepest = error
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string') return cause.code
    deepest = cause
  }
  return deepest.message
}

/** Both forms of the header: seconds, or a date. */
function readRetryAfter(headers: Headers | undefined): number | null {
  const text = headers?.get('retry-after')
  if (text === null || text === undefined) return null
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms)) : null
}
