import * as v from 'valibot'
import { AppError, WireError } from '#shared/errors.ts'

/** The part of `fetch` that the page uses. */
export type Fetch = (path: string, init?: RequestInit) => Promise<Response>

const Refusal = v.object({ error: WireError })

export interface JsonRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly body?: Record<string, unknown>
  readonly token?: string
}

/**
 * Asks the server that the page is from, and parses its answer. Rejects with AppError: the server's own refusal, or
 * `unavailable` where none came.
 */
export async function askServer<Schema extends v.GenericSchema>(
  fetch: Fetch,
  path: string,
  schema: Schema,
  { method = 'GET', body, token }: JsonRequest = {},
): Promise<v.InferOutput<Schema>> {
  const response = await fetch(path, {
    method,
    cache: 'no-store',
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw unreachable(cause)
  })
  const answer: unknown = response.status === 204 ? null : await response.json().catch(() => undefined)
  if (!response.ok) {
    const refusal = v.safeParse(Refusal, answer)
    throw refusal.success ? AppError.fromWire(refusal.output.error) : unreachable(`HTTP ${response.status}`)
  }
  const parsed = v.safeParse(schema, answer)
  if (!parsed.success) throw new AppError('internal', 'Cannot read what the server answered: reload the page')
  return parsed.output
}

/** No answer, or one by somebody in between. */
export const unreachable = (cause: unknown): AppError =>
  new AppError('unavailable', 'Cannot reach the server', { cause, hint: 'Is it still running? The page tries again' })
