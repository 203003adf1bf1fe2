import { describe, expect, it } from 'vitest'
import { ServerFailure, type ServerFailureFacts } from '../ports/chat-server.ts'
import { isPassing, toRefusal } from './server-refusal.ts'

const call = { host: 'gpu:8080', model: 'qwen', promptTokens: null, contextTokens: null, answerTokensMax: 512 }
const refused = (message: string, facts: ServerFailureFacts = {}) => new ServerFailure('refused', message, facts)

describe('what a server refuses', () => {
  it.each([
    [
      'llama-server',
      refused('the request exceeds the available context size, try increasing it', {
        status: 400,
        codes: ['exceed_context_size_error'],
        promptTokens: 9000,
        contextTokens: 8192,
      }),
      /prompt of 9000 tokens and answer of up to 512, limit 8192/,
    ],
    [
      'vLLM',
      refused("This model's maximum context length is 8192 tokens. However, you requested 9512 tokens", {
        status: 400,
      }),
      /the prompt and answer of up to 512, which is more than the server allows/,
    ],
    ['OpenAI', refused('Too long', { status: 400, codes: ['context_length_exceeded'] }), /answer of up to 512/],
    [
      'LM Studio',
      refused('Trying to keep the first 9000 tokens when context the overflows. The context length is too small', {
        status: null,
      }),
      /answer of up to 512/,
    ],
  ])('for its size is an overflow (%s)', (_server, failure, message) => {
    expect(toRefusal(failure, call)).toMatchObject({
      code: 'context_overflow',
      message: expect.stringMatching(message),
    })
  })

  it('for its own load is busy, with the time that it asks for', () => {
    expect(toRefusal(refused('slow down', { status: 429, retryAfterMs: 42_000 }), call)).toMatchObject({
      code: 'busy',
      details: { retry_after_ms: 42_000 },
    })
    expect(toRefusal(refused('slow down', { status: 429 }), call).details?.retry_after_ms).toBeGreaterThan(0)
  })

  it.each([
    [401, /OPENAI_API_KEY/],
    [404, /has the model "qwen"/],
    [503, /may still load/],
    [500, /server's own log/],
  ])('with %i comes with what to do', (status, hint) => {
    const error = toRefusal(refused(`refused with ${status}: no`, { status }), call)
    expect(error).toMatchObject({
      code: 'model_unavailable',
      message: `Cannot answer: gpu:8080 refused with ${status}: no`,
      hint: expect.stringMatching(hint),
    })
  })
})

it('tries again what passes, and nothing else', () => {
  for (const status of [408, 429, 500, 502, 503, 504]) expect(isPassing(refused('no', { status }))).toBe(true)
  for (const status of [400, 401, 404, 422, 501, null]) expect(isPassing(refused('no', { status }))).toBe(false)
  expect(isPassing(new ServerFailure('connection', 'broke'))).toBe(true)
  expect(isPassing(new ServerFailure('silence', 'brought nothing'))).toBe(false)
  expect(isPassing(new ServerFailure('garbage', 'sent something'))).toBe(false)
})
