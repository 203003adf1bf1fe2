import { AppError } from '#shared/errors.ts'
import type { ServerFailure } from '../ports/chat-server.ts'

/** What was asked, and of whom: what a refusal names. */
export interface ServerCall {
  readonly host: string
  readonly model: string
  /** Null where they are not known. */
  readonly promptTokens: number | null
  readonly contextTokens: number | null
  readonly answerTokensMax: number
}

/** Whether the same call may well succeed a little later. */
export function isPassing({ kind, facts }: ServerFailure): boolean {
  if (kind !== 'refused') return kind === 'connection'
  const status = facts.status ?? 0
  return status === 408 || status === 429 || (status >= 500 && status !== 501)
}

/** A failure as the caller of the model meets it: the reason, and what to do. */
export function toRefusal(failure: ServerFailure, call: ServerCall): AppError {
  const { facts, kind } = failure
  const status = facts.status ?? 0
  if (kind === 'refused' && isOverflow(failure)) {
    return contextOverflow({
      ...call,
      promptTokens: facts.promptTokens ?? call.promptTokens,
      contextTokens: facts.contextTokens ?? call.contextTokens,
    })
  }
  if (kind === 'refused' && status === 429) {
    const retry_after_ms = facts.retryAfterMs ?? RETRY_AFTER_DEFAULT_MS
    return new AppError('busy', `Cannot answer: ${call.host} has too much to do`, {
      hint: 'Try again later',
      details: { retry_after_ms },
      cause: failure,
    })
  }
  return new AppError('model_unavailable', `Cannot answer: ${call.host} ${failure.message}`, {
    hint: hintFor(failure, call),
    cause: failure,
  })
}

/** The refusal of a prompt that does not fit, with all sizes that are known. */
export function contextOverflow(call: Omit<ServerCall, 'host'>): AppError {
  const prompt = call.promptTokens === null ? 'the prompt' : `prompt of ${call.promptTokens} tokens`
  const limit = call.contextTokens === null ? 'which is more than the server allows' : `limit ${call.contextTokens}`
  return new AppError(
    'context_overflow',
    `Cannot answer: ${prompt} and answer of up to ${call.answerTokensMax}, ${limit}`,
    {
      hint: 'Give fewer or smaller context files, split the managed file, or start the server with a larger context',
      details: {
        prompt_tokens: call.promptTokens,
        answer_tokens_max: call.answerTokensMax,
        context_tokens: call.contextTokens,
      },
    },
  )
}

/** Where a server that is busy does not say how long. */
const RETRY_AFTER_DEFAULT_MS = 5000

const OVERFLOW_CODES = ['context_length_exceeded', 'exceed_context_size_error']
/** llama-server, vLLM, LM Studio and their relatives, as far as they have no code for it. */
const OVERFLOW_WORDS =
  /(maximum|exceed\w*|overflow\w*)[^.]{0,60}context|context[^.]{0,60}(exceed|overflow|too small)|(prompt|input) is too long/i

const isOverflow = ({ message, facts }: ServerFailure): boolean =>
  facts.codes?.some((code) => OVERFLOW_CODES.includes(code)) === true || OVERFLOW_WORDS.test(message)

function hintFor({ kind, facts }: ServerFailure, { host, model }: ServerCall): string {
  if (kind === 'connection') return `Look whether the server runs and can be reached at ${host}, then call again`
  if (kind === 'silence') return 'Look whether the server hangs, or give it less to do at once'
  if (kind === 'garbage') return 'Check the address: it must be the one before /chat/completions, usually ending in /v1'
  switch (facts.status) {
    case 401:
    case 403:
      return 'Put its key into OPENAI_API_KEY, or into the variable that ?key_from= names, and restart the worker'
    case 404:
      return `Check the address, and that the server has the model ${JSON.stringify(model)}`
    case 503:
      return 'The server may still load its model: call again when get_server_info shows it as ready'
    default:
      return "See the server's own log"
  }
}
