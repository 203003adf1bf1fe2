import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type OpenAiServer, type OpenAiServerOptions, startOpenAiServer } from '#test/support/openai-server.ts'
import type { ServerModel } from '../inference/server-model.ts'
import type { GenerateRequest, LanguageModel } from '../ports/language-model.ts'
import { createLlamaModel } from './node-llama-cpp.ts'
import { createOpenAiModel, type OpenAiModelOptions } from './openai-model.ts'

// What the contract of a language model leaves open: an HTTP server that fails in every way that one can.

let inference: LanguageModel
beforeAll(async () => {
  inference = createLlamaModel({ reference: 'demo', modelsFolder: tmpdir(), threads: 1, gpu: false })
  await inference.countTokens('Load', AbortSignal.timeout(50_000))
})
afterAll(() => inference.close())

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

interface Setup extends Partial<OpenAiServerOptions> {
  readonly client?: Partial<OpenAiModelOptions>
  readonly named?: string | null
}

async function start({ client, named = 'demo', ...options }: Setup = {}) {
  const server = await startOpenAiServer({ model: inference, ...options })
  closing.push(server.close)
  const log: string[] = []
  const model = connect(server.url, { log: (line) => log.push(line), ...client }, named)
  return { server, model, log }
}

function connect(url: string, options: Partial<OpenAiModelOptions> = {}, named: string | null = 'demo'): ServerModel {
  const model = createOpenAiModel({
    name: 'mine',
    server: { url, model: named, keyVariable: null },
    key: null,
    ...options,
    times: { retryDelays: [1, 1, 1], ...options.times },
  })
  closing.push(() => model.close())
  return model
}

const ask = (answerTokensMax = 400): GenerateRequest => ({
  turns: [
    {
      role: 'system',
      text: 'Generate data structures\n\nYou are the only writer of `producer.py`. Answer with the complete new content of that file in one fenced code block. Change only what the task asks.',
    },
    { role: 'user', text: '### `producer.py` (yours, empty)\n\n### Task\nCreate a User model with id, name, email' },
  ],
  answerTokensMax,
  temperature: 0,
})
const patience = () => ({ signal: AbortSignal.timeout(25_000) })
const outcome = (model: LanguageModel, request = ask()) =>
  model.generate(request, patience()).catch((error: unknown) => error)
const CLASS = /^```python\n[\s\S]*class User:/

describe('a failure before the first token', () => {
  it.each([
    ['a 500', { kind: 'status', status: 500 }],
    ['a 503 while the model loads', { kind: 'status', status: 503, body: '{"error":{"message":"Loading model"}}' }],
    ['a 429 that asks for a moment', { kind: 'status', status: 429, headers: { 'retry-after': '0.01' } }],
    ['a connection that breaks', { kind: 'cut', afterPieces: 0 }],
  ] as const)('is tried again: %s', async (_what, fault) => {
    const { server, model, log } = await start()
    server.fail(fault, fault)
    expect((await model.generate(ask(), patience())).text).toMatch(CLASS)
    expect(server.calls).toHaveLength(3)
    expect(log.filter((line) => line.includes('trying again'))).toHaveLength(2)
  })

  it('is tried again a bounded number of times', async () => {
    const { server, model } = await start()
    server.fail(...Array.from({ length: 4 }, () => ({ kind: 'status', status: 500 }) as const))
    expect(await outcome(model)).toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(/^Cannot answer: 127\.0\.0\.1:\d+ refused with 500: Something went wrong$/),
      hint: expect.any(String),
    })
    expect(server.calls).toHaveLength(4)
  })

  it('is busy at once where the server asks for a long wait', async () => {
    const { server, model } = await start()
    server.fail({ kind: 'status', status: 429, headers: { 'retry-after': '3600' } })
    expect(await outcome(model)).toMatchObject({ code: 'busy', details: { retry_after_ms: 3_600_000 } })
    expect(server.calls).toHaveLength(1)
  })

  it('ends a wait between attempts when the call is cancelled', async () => {
    const { server, model } = await start({ client: { times: { retryDelays: [60_000] } } })
    server.fail({ kind: 'status', status: 500 })
    const abort = new AbortController()
    const call = model.generate(ask(), { signal: abort.signal })
    const refused = expect(call).rejects.toMatchObject({ code: 'cancelled' })
    await expect.poll(() => [server.calls.length, server.open]).toEqual([1, 0])
    abort.abort()
    await refused
  })

  it.each([
    ['a page', { kind: 'body', body: '<html>Welcome</html>', contentType: 'text/html' }],
    ['no JSON', { kind: 'body', body: 'data: {"choices":[\n\ndata: [DONE]\n\n' }],
    ['JSON of another kind', { kind: 'body', body: 'data: {"choices":"none"}\n\n' }],
    ['a number', { kind: 'body', body: 'data: 42\n\n' }],
  ] as const)('that shows a wrong address is not tried again: %s', async (_what, fault) => {
    const { server, model } = await start()
    server.fail(fault)
    expect(await outcome(model)).toMatchObject({
      code: 'model_unavailable',
      hint: expect.stringContaining('Check the address'),
    })
    expect(server.calls).toHaveLength(1)
  })

  it('is silence, which ends the call and frees the server', async () => {
    const { server, model } = await start({ client: { times: { firstToken: 50 } } })
    server.fail({ kind: 'silence', afterPieces: 0 })
    expect(await outcome(model)).toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('brought no token of an answer within 0.05 s'),
    })
    await expect.poll(() => server.open).toBe(0)
    expect(server.calls).toHaveLength(1)
  })

  it('is no failure where the answer is only late', async () => {
    const { server, model } = await start()
    server.fail({ kind: 'late', ms: 300 })
    const { text, usage } = await model.generate(ask(), patience())
    expect(text).toMatch(CLASS)
    expect(usage.time_to_first_token_ms).toBeGreaterThanOrEqual(300)
  })

  it('may come inside the stream', async () => {
    const { server, model } = await start()
    server.fail({ kind: 'body', body: 'data: {"error":{"message":"slot unavailable","type":"server_error"}}\n\n' })
    expect(await outcome(model)).toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('slot unavailable'),
    })
  })
})

describe('a failure in the middle of an answer', () => {
  it('ends the call, which is not made again', async () => {
    const { server, model } = await start()
    server.fail({ kind: 'cut', afterPieces: 3 })
    expect(await outcome(model)).toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('after 3 pieces of its answer'),
    })
    expect(server.calls).toHaveLength(1)
    expect((await model.generate(ask(), patience())).text).toMatch(CLASS)
  })

  it('is silence too, which frees the server', async () => {
    const { server, model } = await start({ client: { times: { silence: 50 } } })
    server.fail({ kind: 'silence', afterPieces: 2 })
    expect(await outcome(model)).toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(/brought nothing more within 0\.05 s, after 2 pieces/),
    })
    await expect.poll(() => server.open).toBe(0)
  })

  it('is not what a cancelled call ends with, and the server is free', async () => {
    const { server, model } = await start()
    server.fail({ kind: 'silence', afterPieces: 2 })
    const abort = new AbortController()
    const call = model.generate(ask(), {
      signal: abort.signal,
      onProgress: ({ phase }) => {
        if (phase === 'generating') abort.abort()
      },
    })
    await expect(call).rejects.toMatchObject({ code: 'cancelled' })
    await expect.poll(() => server.open).toBe(0)
  })
})

describe('what a server does not tell', () => {
  it('is estimated, and said to be', async () => {
    const { server, model } = await start({ like: 'plain', tellsUsage: false })
    const { usage, text } = await model.generate(ask(), patience())
    expect(usage.completion_tokens).toBe(text.match(/\s*\S+|\s+$/g)?.length)
    expect(usage.prompt_tokens).toBeGreaterThan(50)
    expect(await model.countTokens('x'.repeat(30), AbortSignal.timeout(5000))).toBe(10)
    expect(model.info()).toMatchObject({ state: 'ready', context_tokens: null })
    expect(model.info().detail).toMatch(
      /does not tell its context, tokens of a text are estimated, answer tokens are counted/,
    )
    expect(server.paths.filter((path) => path === '/tokenize')).toHaveLength(1)
  })

  it('is left to the server to judge', async () => {
    const { model } = await start({ like: 'plain' })
    expect(await outcome(model, ask(4000))).toMatchObject({
      code: 'context_overflow',
      details: { answer_tokens_max: 4000, context_tokens: 2048 },
    })
  })

  describe('asks for a form of the answer', () => {
    const gbnf = { ...ask(), grammar: { kind: 'gbnf', text: 'root ::= "yes" | "no"' } } as const
    const json = { ...ask(), grammar: { kind: 'json', schema: { type: 'boolean' } } } as const
    const forms = (server: OpenAiServer) =>
      server.calls.map(({ body }) => [body.grammar !== undefined, body.response_format?.type ?? null])

    it('as llama-server takes it, edits too', async () => {
      const { server, model } = await start({})
      expect((await model.generate(gbnf, patience())).text).toMatch(/^(yes|no)$/)
      expect((await model.generate(json, patience())).text).toMatch(/^(true|false)$/)
      const edits = { kind: 'edits', lines: 12, info: '', fenceLength: 3 } as const
      await model.generate({ ...ask(), grammar: edits }, patience())
      expect(forms(server)).toEqual([
        [true, null],
        [false, 'json_schema'],
        [true, null],
      ])
      expect(server.calls[2]?.body.grammar).toContain('Insert after')
    })

    it('not by grammar where a template knows of thinking, or where the server is another', async () => {
      for (const options of [{ template: '<|im_start|>assistant\n<think>' }, { like: 'plain' }] as const) {
        const { server, model } = await start(options)
        await model.generate(gbnf, patience())
        expect((await model.generate(json, patience())).text).toMatch(/^(true|false)$/)
        expect(forms(server)).toEqual([
          [false, null],
          [false, 'json_schema'],
        ])
      }
    })

    it('and goes on without where that is refused', async () => {
      const { server, model } = await start({ refusesForms: true })
      const free = (await model.generate(ask(), patience())).text
      for (const request of [json, json, gbnf]) expect((await model.generate(request, patience())).text).toBe(free)
      expect(forms(server)).toEqual([
        [false, null],
        [false, 'json_schema'],
        [false, null],
        [false, null],
        [true, null],
        [false, null],
      ])
    })
  })

  it('includes its usage, where it refuses to be asked for it', async () => {
    const { server, model } = await start({ refusesStreamOptions: true })
    expect((await model.generate(ask(), patience())).text).toMatch(CLASS)
    expect((await model.generate(ask(), patience())).text).toMatch(CLASS)
    expect(server.calls.map(({ body }) => body.stream_options !== undefined)).toEqual([true, false, false])
  })
})

describe('an answer', () => {
  it('has no thoughts in it', async () => {
    const { model } = await start({ thoughts: 'Let me see: class Wrong' })
    expect((await model.generate(ask(), patience())).text).not.toContain('Wrong')
    const { server, model: other } = await start()
    const delta = JSON.stringify({
      choices: [{ delta: { content: '<think>Hm</think>\n```\nx\n```' }, finish_reason: 'stop' }],
    })
    server.fail({ kind: 'body', body: `data: ${delta}\n\ndata: [DONE]\n\n` })
    expect((await other.generate(ask(), patience())).text).toBe('```\nx\n```')
  })

  it('is cut where the server goes on beyond what was asked', async () => {
    const { server, model } = await start()
    const piece = `data: ${JSON.stringify({ choices: [{ delta: { content: 'x ' }, finish_reason: null }] })}\n\n`
    server.fail({ kind: 'body', body: piece.repeat(100) })
    const { text, stopReason, usage } = await model.generate(ask(10), patience())
    expect({ text, stopReason, tokens: usage.completion_tokens }).toEqual({
      text: 'x '.repeat(10),
      stopReason: 'length',
      tokens: 10,
    })
  })
})

describe('the model of a server', () => {
  it('is the first that it lists where none is named, and is not shown with its folder', async () => {
    const { server, model } = await start({ named: null, listed: ['/home/ann/models/small.gguf'] })
    await model.generate(ask(5), patience())
    expect(server.calls[0]?.body.model).toBe('/home/ann/models/small.gguf')
    expect(model.info().detail).toMatch(/^Ready at 127\.0\.0\.1:\d+ as small\.gguf, context of 2048 tokens$/)
  })

  it('that is not listed is said to be missing, and asked for all the same', async () => {
    const { server, model } = await start({ like: 'plain', listed: ['other', 'another:latest'] })
    server.fail({ kind: 'status', status: 404, body: '{"error":{"message":"model \'demo\' not found"}}' })
    expect(await outcome(model)).toMatchObject({ code: 'model_unavailable', hint: expect.stringContaining('"demo"') })
    expect(model.info()).toMatchObject({ state: 'missing', detail: expect.stringContaining('other, another:latest') })
  })

  it('is found again when the server comes back', async () => {
    const { server, model } = await start({ client: { times: { knowledgeAge: 20 } } })
    await model.generate(ask(5), patience())
    const port = Number(new URL(server.url).port)
    await server.close()
    expect(await outcome(model)).toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('cannot be reached (ECONNREFUSED)'),
      hint: expect.stringContaining('Look whether the server runs'),
    })
    expect(model.info().state).toBe('failed')
    const again = await startOpenAiServer({ model: inference }, port)
    closing.push(again.close)
    await expect.poll(() => model.info().state).toBe('ready')
    expect((await model.generate(ask(), patience())).text).toMatch(CLASS)
  })

  it('is not waited for where nothing answers behind an open port', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    closing.push(async () => void silent.close())
    const at = silent.address()
    const port = typeof at === 'object' && at !== null ? at.port : 0
    const model = connect(`http://127.0.0.1:${port}/v1`, { times: { connect: 50 } })
    expect(await outcome(model)).toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('did not say which models it has within 0.05 s'),
    })
    await model.close()
  })
})

describe('the key', () => {
  const key = 'sk-open-sesame'

  it('goes with every request, and into no message or log', async () => {
    const { server, model, log } = await start({ key, client: { key } })
    await model.generate(ask(5), patience())
    expect(server.calls[0]?.headers.authorization).toBe(`Bearer ${key}`)
    server.fail({ kind: 'status', status: 400, body: JSON.stringify({ error: { message: `bad key ${key}` } }) })
    const error = await outcome(model)
    expect(error).toMatchObject({ message: expect.stringContaining('bad key [key]') })
    expect(JSON.stringify([error, model.info(), log])).not.toContain(key)
  })

  it('is the only thing of the environment that goes out', async () => {
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'Authorization: Bearer other\nX-Team: sesame')
    vi.stubEnv('OPENAI_API_KEY', 'sesame')
    vi.stubEnv('OPENAI_ORG_ID', 'sesame')
    const { server, model } = await start()
    const { server: locked, model: entitled } = await start({ key, client: { key } })
    vi.unstubAllEnvs()
    await model.generate(ask(5), patience())
    await entitled.generate(ask(5), patience())
    expect(JSON.stringify(server.calls)).not.toMatch(/Bearer|x-team|stainless/i)
    expect(locked.calls[0]?.headers.authorization).toBe(`Bearer ${key}`)
  })

  it('does not follow a redirect', async () => {
    const { server: other } = await start()
    const { server, model } = await start({ key, client: { key } })
    server.fail({ kind: 'status', status: 307, headers: { location: `${other.url}/chat/completions` } })
    expect(await outcome(model)).toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('redirects to another address'),
      hint: expect.stringContaining('Check the address'),
    })
    expect(other.calls).toHaveLength(0)
  })

  it('is asked for where the server wants one, and not invented', async () => {
    const { server, model } = await start({ key })
    expect(await outcome(model)).toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('refused with 401: Incorrect API key provided: undefined'),
      hint: expect.stringContaining('OPENAI_API_KEY'),
    })
    expect(model.info().state).toBe('failed')
    expect(server.calls).toHaveLength(0)
  })
})
