import { setTimeout } from 'node:timers/promises'
import { type Consumer, type JsMsg, jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { AppError } from '#shared/errors.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { decodeMessage, JobMessage } from '#shared/protocol/envelope.ts'
import { SIGNATURE_HEADER } from '#shared/protocol/signature.ts'
import { JOBS_STREAM, jobsConsumer } from '#shared/protocol/subjects.ts'
import type { DeliveredJob, JobSource } from '../ports/job-source.ts'
import type { EdgeTrust } from './ed25519.ts'

/** How long one pull stays open at the server; a pull that finds nothing is simply made again. */
const PULL_MS = 20_000
const RETRY_AFTER_ERROR_MS = 1000

/** The work queue: a durable pull consumer that the operator's credential made (see scripts/nats-server.ts). */
export function createNatsJobSource(
  connection: NatsConnection,
  workspace: WorkspaceId,
  trust: EdgeTrust,
  log: (line: string) => void,
): JobSource {
  const client = jetstream(connection)
  let consumer: Consumer | undefined
  let complained = false

  async function pull(): Promise<JsMsg | null> {
    consumer ??= await client.consumers.get(JOBS_STREAM, jobsConsumer(workspace))
    const message = await consumer.next({ expires: PULL_MS })
    complained = false
    return message
  }

  return {
    async next(signal) {
      while (!signal.aborted) {
        let message: JsMsg | null
        let pulled: Promise<JsMsg | null> | undefined
        try {
          pulled = pull()
          message = await untilAborted(pulled, signal)
        } catch (cause) {
          if (signal.aborted) {
            // A job that comes after we stopped goes back at once instead of waiting for its confirmation to run out.
            pulled?.then((late) => late?.nak()).catch(() => undefined)
            return null
          }
          if (!complained)
            log(`Cannot take jobs from the queue: ${cause instanceof Error ? cause.message : 'unknown'}; trying again`)
          complained = true
          consumer = undefined
          await setTimeout(RETRY_AFTER_ERROR_MS, undefined, { signal }).catch(() => undefined)
          continue
        }
        if (message === null) continue
        if (signal.aborted) {
          message.nak()
          return null
        }
        const job = toDeliveredJob(message, workspace, trust)
        if (!(job instanceof AppError)) return job
        log(`Dropped a message of the job queue: ${job.message}`)
        message.term('refused')
      }
      return null
    },
  }
}

/** The job, or why there is none. Its sweep publishes one again that the edge has made. */
function toDeliveredJob(message: JsMsg, workspace: WorkspaceId, trust: EdgeTrust): DeliveredJob | AppError {
  try {
    const statement = { purpose: 'job', subject: message.subject, body: message.data } as const
    trust.verify('a job', statement, message.headers?.get(SIGNATURE_HEADER))
    const job = decodeMessage('a job message', JobMessage, message.data)
    if (job.workspace !== workspace) return new AppError('not_found', 'Cannot take a job: it is of another workspace')
    return {
      jobId: job.job_id,
      working: () => message.working(),
      done: async () => {
        await message.ackAck()
      },
      retry: (delayMs) => message.nak(delayMs),
    }
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new Error('aborted'))
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
