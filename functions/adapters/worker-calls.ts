import { CallReply, decodeMessage, encodeMessage } from '#shared/protocol/envelope.ts'
import { MESSAGE_BYTES_MAX } from '#shared/protocol/limits.ts'
import { callSubject } from '#shared/protocol/subjects.ts'
import type { WorkerCalls } from '../ports/worker-calls.ts'
import { untilAborted } from './until-aborted.ts'

/** Asks on a subject and gives the bytes of the reply. Rejects with AppError as `WorkerCalls` says. */
export type WorkerRequest = (subject: string, question: Uint8Array, timeoutMs: number) => Promise<Uint8Array>

/** Calls to workers over whatever carries bytes: encoded, checked and parsed here, whoever holds the connection. */
export function createWorkerCalls(request: WorkerRequest): WorkerCalls {
  return {
    async call(family, envelope, timeoutMs, signal) {
      const question = encodeMessage('the call to the worker', envelope, MESSAGE_BYTES_MAX)
      const answer = await untilAborted(request(callSubject(envelope.workspace, family), question, timeoutMs), signal)
      const reply = parseReply(answer)
      if (reply.id !== envelope.id) throw new Error('The worker answered another call than it was asked')
      return reply
    },
  }
}

function parseReply(bytes: Uint8Array): CallReply {
  try {
    return decodeMessage("the worker's reply", CallReply, bytes)
  } catch (cause) {
    // A caller who asked properly is not told `invalid_input` for what a worker sent.
    throw new Error("The worker's reply cannot be read", { cause })
  }
}
