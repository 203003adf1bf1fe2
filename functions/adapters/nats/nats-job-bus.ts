import { JetStreamApiError, jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import type * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { decodeMessage, encodeMessage, type JobMessage } from '#shared/protocol/envelope.ts'
import { MESSAGE_BYTES_MAX } from '#shared/protocol/limits.ts'
import { cancelSubject, eventsSubject, jobSubject, jobsSubject, WIRE_VERSION } from '#shared/protocol/subjects.ts'
import { JobEvent, WorkspaceEvent } from '#shared/schemas/event.ts'
import { isFinal, type JobProgress } from '#shared/schemas/job.ts'
import type { JobBus, JobListener, WorkspaceListener } from '../../ports/job-bus.ts'
import type { Signer } from '../../ports/signer.ts'
import type { NatsLink } from './nats-link.ts'
import { payloadBytesMax } from './nats-worker-calls.ts'
import { signedHeaders } from './signed-headers.ts'

/** A healthy server confirms in a millisecond. */
const PUBLISH_TIMEOUT_MS = 3000
const PING_TIMEOUT_MS = 1000
/** `maximum messages exceeded`: how a stream with DiscardNew refuses. */
const QUEUE_FULL = 10077
/** About as long as one small task takes. */
const RETRY_AFTER_MS = 5000
/** Jobs whose last progress is kept; beyond it the oldest is forgotten, which costs a detail of an answer. */
const PROGRESS_KEPT_MAX = 1000

/** Jobs and requests to stop them are signed; events only wake, and are not. */
export function createNatsJobBus(link: NatsLink, signer: Signer): JobBus {
  // By subject, which names workspace and job.
  const listeners = new Map<string, Set<JobListener>>()
  // By subject, which names the workspace.
  const workspaceListeners = new Map<string, Set<WorkspaceListener>>()
  const progress = new Map<string, JobProgress>()

  function tell(subject: string, news: JobProgress | null): void {
    for (const listener of listeners.get(subject) ?? []) listener(news)
  }

  function tellWorkspace(subject: string, event: WorkspaceEvent | null): void {
    for (const listener of workspaceListeners.get(subject) ?? []) listener(event)
  }

  link.onConnection((connection) => {
    listen(connection, jobSubject('*', '*'), JobEvent, (event, subject) => {
      if (isFinal(event.state) || event.progress === null) {
        progress.delete(subject)
        tell(subject, null)
        return
      }
      progress.delete(subject)
      progress.set(subject, event.progress)
      const oldest = progress.size > PROGRESS_KEPT_MAX ? progress.keys().next().value : undefined
      if (oldest !== undefined) progress.delete(oldest)
      tell(subject, event.progress)
      const { phase, round, tokens } = event.progress
      const { job_id } = event
      const told: WorkspaceEvent = { v: WIRE_VERSION, type: 'job_progressed', job_id, phase, round, tokens }
      tellWorkspace(subject.replace(/\.job\.[^.]+$/, '.events'), told)
    })
    listen(connection, eventsSubject('*'), WorkspaceEvent, (event, subject) => {
      tellWorkspace(subject, event)
      if (event.type !== 'job_changed') return
      const job = subject.replace(/\.events$/, `.job.${event.job_id}`)
      if (isFinal(event.state)) progress.delete(job)
      tell(job, null)
    })
  })

  link.onReturn(() => {
    for (const subject of [...listeners.keys()]) tell(subject, null)
    for (const subject of [...workspaceListeners.keys()]) tellWorkspace(subject, null)
  })

  /** Best effort: what is not delivered is found in the registry. */
  function send(subject: string, message: unknown): void {
    try {
      const connection = link.connection()
      connection.publish(subject, encodeMessage('an event', message, payloadBytesMax(connection)))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
  }

  /** Best effort as well. */
  async function sendCancel(subject: string, message: JobMessage): Promise<void> {
    const body = encodeMessage('a cancel', message, MESSAGE_BYTES_MAX)
    const headers = await signedHeaders(signer, { purpose: 'cancel', subject, body })
    try {
      const connection = link.connection()
      if (!connection.isClosed() && !connection.isDraining()) connection.publish(subject, body, { headers })
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
  }

  return {
    async publish(workspace, job, attempt) {
      const connection = link.connection()
      const message: JobMessage = { v: WIRE_VERSION, workspace, job_id: job }
      const bytes = encodeMessage('the job', message, payloadBytesMax(connection))
      const subject = jobsSubject(workspace)
      const headers = await signedHeaders(signer, { purpose: 'job', subject, body: bytes })
      try {
        await jetstream(connection).publish(subject, bytes, {
          headers,
          msgID: `${job}:${attempt}`,
          timeout: PUBLISH_TIMEOUT_MS,
        })
      } catch (cause) {
        throw toAppError(cause)
      }
    },
    requestCancel(workspace, job) {
      void sendCancel(cancelSubject(workspace, job), { v: WIRE_VERSION, workspace, job_id: job })
    },
    announce: (workspace, event) => send(eventsSubject(workspace), event),
    async watch(workspace, job, listener) {
      return addTo(listeners, jobSubject(workspace, job), listener)
    },
    async watchWorkspace(workspace, listener) {
      return addTo(workspaceListeners, eventsSubject(workspace), listener)
    },
    progress: async (workspace, job) => progress.get(jobSubject(workspace, job)) ?? null,
    async ping() {
      try {
        const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), PING_TIMEOUT_MS))
        return await Promise.race([
          link
            .connection()
            .rtt()
            .then(() => true),
          late,
        ])
      } catch {
        return false
      }
    },
  }
}

/** Returns how to take it away again. */
function addTo<Listener>(sets: Map<string, Set<Listener>>, key: string, listener: Listener): () => void {
  const set = sets.get(key) ?? new Set()
  sets.set(key, set.add(listener))
  return () => {
    set.delete(listener)
    if (set.size === 0 && sets.get(key) === set) sets.delete(key)
  }
}

/** Hears a subject on a connection for as long as it lives. What cannot be read is ignored: events only wake. */
function listen<const S extends v.GenericSchema>(
  connection: NatsConnection,
  subject: string,
  schema: S,
  onMessage: (message: v.InferOutput<S>, subject: string) => void,
): void {
  connection.subscribe(subject, {
    callback: (error, message) => {
      if (error !== null) return
      let event: v.InferOutput<S>
      try {
        event = decodeMessage('an event', schema, message.data)
      } catch {
        return
      }
      onMessage(event, message.subject)
    },
  })
}

function toAppError(cause: unknown): AppError {
  if (cause instanceof JetStreamApiError && cause.code === QUEUE_FULL) {
    return new AppError('busy', 'Cannot start the job: the queue is full', {
      hint: `Try again in ${RETRY_AFTER_MS / 1000} seconds, or cancel jobs that are no longer needed`,
      details: { retry_after_ms: RETRY_AFTER_MS },
    })
  }
  return new AppError('unavailable', 'Cannot start the job: the job queue does not answer', {
    cause,
    hint: 'Try again in a moment',
  })
}
