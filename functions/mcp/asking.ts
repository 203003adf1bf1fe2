import {
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import * as v from 'valibot'
import type { AskPerson } from '../tools/call-context.ts'

// A question to the person at the client (elicitation), in the ways of both eras.

/** A call that goes on when its client has called again, with the answer. Nothing was done. */
export class InputNeeded extends Error {
  readonly #key: string
  readonly #message: string

  constructor(key: string, message: string) {
    super('The client has to be asked first')
    this.#key = key
    this.#message = message
  }

  toResult(): InputRequiredResult {
    const request = inputRequired.elicit({ message: this.#message, requestedSchema })
    return inputRequired({ inputRequests: { [this.#key]: request } })
  }
}

/** A form of one tick, since not every client shows an empty one. */
const requestedSchema = {
  type: 'object' as const,
  properties: { confirm: { type: 'boolean' as const, title: 'Yes, do it' } },
  required: ['confirm'],
}

/** What a person decides on takes minutes; the connection of the call stays open as long. */
const ANSWER_MS_MAX = 5 * 60_000

/** Absent modes mean that forms are meant: the capability is older than the other mode. */
const Elicitation = v.object({ form: v.optional(v.unknown()), url: v.optional(v.unknown()) })

function canFillForms(capabilities: unknown): boolean {
  const parsed = v.safeParse(v.object({ elicitation: Elicitation }), capabilities)
  return parsed.success && (parsed.output.elicitation.form !== undefined || parsed.output.elicitation.url === undefined)
}

const isYes = (answer: { action?: unknown; content?: unknown }): boolean =>
  answer.action === 'accept' && v.is(v.object({ confirm: v.literal(true) }), answer.content)

/** By a result that asks: the answer comes with the same call, made again. Undefined where the client has not said that it can. */
export function askByResult({ mcpReq }: ServerContext): AskPerson | undefined {
  const envelope: Record<string, unknown> = { ...mcpReq.envelope }
  if (!canFillForms(envelope[CLIENT_CAPABILITIES_META_KEY])) return undefined
  return async ({ key, message }) => {
    const answer = inputResponse(mcpReq.inputResponses, key)
    if (answer.kind !== 'elicit') throw new InputNeeded(key, message)
    return isYes(answer)
  }
}

/** By a request of the server's, on the stream of the call that waits. For a server that has a session with its client. */
export function askBySession(server: Server, { mcpReq }: ServerContext): AskPerson | undefined {
  if (!canFillForms(server.getClientCapabilities())) return undefined
  return async ({ message }) => {
    try {
      const options = { timeout: ANSWER_MS_MAX, relatedRequestId: mcpReq.id, signal: mcpReq.signal }
      return isYes(await server.elicitInput({ mode: 'form', message, requestedSchema }, options))
    } catch {
      // Gone, too slow, or it answered with an error: nobody has agreed.
      return false
    }
  }
}
