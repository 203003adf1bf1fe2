import { type NatsConnection, RequestError, TimeoutError } from '@nats-io/nats-core'
import { AppError } from '#shared/errors.ts'
import { CallReply, decodeMessage, encodeMessage } from '#shared/protocol/envelope.ts'
import { NATS_PAYLOAD_BYTES_MAX } from '#shared/protocol/limits.ts'
import { callSubject } from '#shared/protocol/subjects.ts'
import type { WorkerCalls } from '../../ports/worker-calls.ts'
import { untilAborted } from '../until-aborted.ts'
import type { NatsLink } from './nats-link.ts'

export function createNatsWorkerCalls(link: NatsLink): WorkerCalls {
  return {
    async call(family, envelope, timeoutMs, signal) {
      const connection = link.connection()
      const bytes = encodeMessage('the call to the worker', envelope, payloadBytesMax(connection))
      const request = connection.request(callSubject(envelope.workspace, family), bytes, { timeout: timeoutMs })
      const answer = await untilAborted(request, signal).catch((cause: unknown) => {
        throw toAppError(cause)
      })
      const reply = parseReply(answer.data)
      if (reply.id !== envelope.id) throw new Error('The worker answered another call than it was asked')
      return reply
    },
  }
}

/** What this server lets through; a larger message would cost the connection. */
export function payloadBytesMax(connection: NatsConnection): number {
  return Math.min(connection.info?.max_payload ?? NATS_PAYLOAD_BYTES_MAX, NATS_PAYLOAD_BYTES_MAX)
}

function parseReply(bytes: Uint8Array): CallReply {
  try {
    return decodeMessage("the worker's reply", CallReply, bytes)
  } catch (cause) {
    // A caller who asked properly is not told `invalid_input` for what a worker sent.
    throw new Error("The worker's reply cannot be read", { cause })
  }
}

function toAppError(cause: unknown): unknown {
  if (cause instanceof AppError) return cause
  if (cause instanceof RequestError && cause.isNoResponders()) {
    return new AppError('worker_offline', 'Cannot reach the repository: no worker is connected', {
      hint: 'Start one with npm run worker, then call again',
    })
  }
  if (cause instanceof TimeoutError || (cause instanceof RequestError && cause.cause instanceof TimeoutError)) {
    return new AppError('timeout', 'Cannot wait longer: the worker has not answered in time', {
      hint: 'Look at the state with a read before you repeat a change: it may still be made',
    })
  }
  return new AppError('unavailable', 'Cannot reach the worker: the message bus failed', {
    cause,
    hint: 'Try again in a moment',
  })
}
