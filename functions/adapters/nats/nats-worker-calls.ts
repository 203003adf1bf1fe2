import { type NatsConnection, RequestError, TimeoutError } from '@nats-io/nats-core'
import { AppError } from '#shared/errors.ts'
import { checkMessageBytes } from '#shared/protocol/envelope.ts'
import { MESSAGE_BYTES_MAX, NATS_PAYLOAD_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { Signer } from '../../ports/signer.ts'
import type { WorkerCalls } from '../../ports/worker-calls.ts'
import { createWorkerCalls, type WorkerRequest } from '../worker-calls.ts'
import type { NatsLink } from './nats-link.ts'
import { signedHeaders } from './signed-headers.ts'

export function createNatsWorkerCalls(link: NatsLink, signer: Signer): WorkerCalls {
  return createWorkerCalls(createNatsRequest(link, signer))
}

/** Short calls, signed, over a connection that may not be there: `unavailable` at once then. */
export function createNatsRequest(link: NatsLink, signer: Signer): WorkerRequest {
  return async (subject, question, timeoutMs) => {
    const connection = link.connection()
    checkMessageBytes('the call to the worker', question, payloadBytesMax(connection))
    const headers = await signedHeaders(signer, { purpose: 'call', subject, body: question })
    try {
      return (await connection.request(subject, question, { timeout: timeoutMs, headers })).data
    } catch (cause) {
      throw toAppError(cause)
    }
  }
}

/** What this server lets through beside a message's headers; a larger message would cost the connection. */
export function payloadBytesMax(connection: NatsConnection): number {
  const beside = NATS_PAYLOAD_BYTES_MAX - MESSAGE_BYTES_MAX
  return Math.min((connection.info?.max_payload ?? NATS_PAYLOAD_BYTES_MAX) - beside, MESSAGE_BYTES_MAX)
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
