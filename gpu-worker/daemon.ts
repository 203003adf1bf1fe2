import * as v from 'valibot'
import { AppError, invalidInput, type WireError } from '#shared/errors.ts'
import type { JobId, WorkspaceId } from '#shared/ids.ts'
import { CallEnvelope, type CallReply, decodeMessage, encodeMessage } from '#shared/protocol/envelope.ts'
import { JOB_ACK_WAIT_MS } from '#shared/protocol/limits.ts'
import { type CallFamily, WIRE_VERSION } from '#shared/protocol/subjects.ts'
import { CallState } from '#shared/protocol/worker-calls.ts'
import { jobChanged } from '#shared/schemas/event.ts'
import type { JobOutcome, JobProgress } from '#shared/schemas/job.ts'
import { createCallMemory } from './call-memory.ts'
import type { CallServer } from './ports/call-server.ts'
import type { Events } from './ports/events.ts'
import type { JobJournal } from './ports/job-journal.ts'
import type { DeliveredJob, JobSource } from './ports/job-source.ts'
import type { Registry } from './ports/registry.ts'
import type { WriteJournal } from './ports/write-journal.ts'
import type { JobContext, ToolContext } from './tools/handler.ts'

/** A short call that this worker serves: a catalogue tool or a question of the edge. */
export interface ServedCall {
  readonly family: CallFamily
  readonly input: v.GenericSchema
  readonly handle: (input: unknown, context: ToolContext) => Promise<Record<string, unknown>>
}

/** A tool that runs as a job. */
export interface ServedJob {
  readonly input: v.GenericSchema
  readonly run: (input: unknown, context: JobContext) => Promise<Record<string, unknown>>
  /**
   * It remembers its steps: however often a worker stopped under it, it goes on, and gives a step up by itself. What was cancelled
   * or ran out of time while no worker had it is run with an aborted signal, and says in its refusal how far it got.
   */
  readonly resumes?: boolean
}

export interface DaemonOptions {
  readonly workspace: WorkspaceId
  readonly workerId: string
  readonly calls: CallServer
  readonly jobs: JobSource
  readonly registry: Registry
  readonly events: Events
  readonly journal: JobJournal & WriteJournal
  readonly servedCalls: ReadonlyMap<string, ServedCall>
  readonly servedJobs: ReadonlyMap<string, ServedJob>
  readonly jobsAtOnce: number
  readonly log: (line: string) => void
}

/** A job in this worker's hands. */
interface RunningHere {
  readonly cancel: AbortController
  /** Null until it is claimed; the claim says whether it is cancelled. */
  fence: number | null
}

export interface Daemon {
  start(): Promise<void>
  /** Takes nothing new, gives running jobs back to the queue, answers the calls under way. */
  stop(): Promise<void>
  jobsRunning(): number
}

/** Short calls at once. File and git work on one disk gains nothing from more, and memory is bounded by it. */
const CALLS_AT_ONCE_MAX = 32
/** A job that was begun this often has taken the worker down each time before. */
const JOB_CLAIMS_MAX = 5
const RETRY_MS = 2000
/** A job asks again after this long for each job of its agent that comes first: soon when it is next, seldom when not. */
const WAIT_MS_EACH = 250
const WAIT_MS_MAX = 5000

export function createDaemon(options: DaemonOptions): Daemon {
  const { calls, jobs, log } = options
  const stopping = new AbortController()
  const running = new Map<JobId, RunningHere>()
  const callsUnderWay = new Set<{ id: string }>()
  const taken = createCallMemory()
  let asking = false
  let loops: Promise<void>[] = []

  async function handleCall(family: CallFamily, message: Uint8Array, refusal: AppError | null): Promise<Uint8Array> {
    let id = 'unread'
    let reply: CallReply
    const underWay = { id }
    callsUnderWay.add(underWay)
    try {
      // Read first: only an answer that carries the call's id is taken for one.
      const envelope = decodeMessage('a call', CallEnvelope, message)
      id = envelope.id
      underWay.id = id
      if (refusal !== null) throw refusal
      taken.refuseRepeat(envelope)
      if (callsUnderWay.size > CALLS_AT_ONCE_MAX) {
        throw new AppError('busy', `Cannot take the call: ${CALLS_AT_ONCE_MAX} calls are under way`, {
          hint: 'Try again in a moment',
          details: { retry_after_ms: 500 },
        })
      }
      reply = { v: WIRE_VERSION, id, ok: true, result: await answer(family, envelope) }
    } catch (error) {
      reply = { v: WIRE_VERSION, id, ok: false, error: toWireError(error, `call ${id}`, log) }
    } finally {
      callsUnderWay.delete(underWay)
    }
    try {
      return encodeMessage('the answer', reply, calls.replyBytesMax)
    } catch (error) {
      const refusal: CallReply = { v: WIRE_VERSION, id, ok: false, error: toWireError(error, `call ${id}`, log) }
      return encodeMessage('the answer', refusal, calls.replyBytesMax)
    }
  }

  const callState: ServedCall & { readonly name: string } = {
    name: CallState.name,
    family: CallState.family,
    input: CallState.input,
    async handle(input) {
      const { call_id } = v.parse(CallState.input, input)
      return { under_way: [...callsUnderWay].some(({ id }) => id === call_id) }
    },
  }

  async function answer(family: CallFamily, envelope: CallEnvelope): Promise<Record<string, unknown>> {
    const served = callState.name === envelope.tool ? callState : options.servedCalls.get(envelope.tool)
    if (envelope.workspace !== options.workspace || served === undefined || served.family !== family) {
      throw new AppError('not_found', 'Cannot serve the call: this worker has no such tool', {
        hint: 'Edge and worker may be of different versions',
      })
    }
    const leftMs = envelope.deadline - Date.now()
    if (leftMs <= 0) {
      throw new AppError('timeout', 'Cannot serve the call: it came after its deadline', {
        hint: "Try again; if it is always so, set the clocks of the edge and of the worker's machine right",
      })
    }
    const input = v.safeParse(served.input, envelope.args)
    if (!input.success) throw invalidInput(`the arguments of ${envelope.tool}`, input.issues)
    const signal = AbortSignal.timeout(leftMs)
    try {
      const { caller, agent, deadline } = envelope
      return await served.handle(input.output, { caller, agent, signal, deadline })
    } catch (error) {
      if (!signal.aborted || !(error instanceof AppError && error.code === 'cancelled')) throw error
      throw new AppError('timeout', 'Cannot finish the call: its deadline has passed', { cause: error })
    }
  }

  async function takeJobs(): Promise<void> {
    for (;;) {
      const job = await jobs.next(stopping.signal)
      if (job === null) return
      // The same job may be delivered again while it runs here, when a confirmation was lost.
      if (running.has(job.jobId)) continue
      const here: RunningHere = { cancel: new AbortController(), fence: null }
      running.set(job.jobId, here)
      const beat = setInterval(() => {
        job.working()
        void stopWhatIsOver()
      }, JOB_ACK_WAIT_MS / 3)
      try {
        await settleJob(options, job, here, stopping.signal)
      } catch (error) {
        // Nothing was lost: the message comes back, and the journal knows what was done.
        log(`Job ${job.jobId} goes back to the queue: ${error instanceof Error ? error.message : 'unknown'}`)
        job.retry(stopping.signal.aborted ? 0 : RETRY_MS)
      } finally {
        clearInterval(beat)
        running.delete(job.jobId)
      }
    }
  }

  /** What was cancelled while nobody could tell us. The registry knows; a question that fails is asked again with the next beat. */
  async function stopWhatIsOver(): Promise<void> {
    const jobs = [...running].flatMap(([job_id, { fence }]) => (fence === null ? [] : [{ job_id, fence }]))
    if (jobs.length === 0 || asking) return
    asking = true
    try {
      for (const job of await options.registry.findOver(jobs)) running.get(job)?.cancel.abort()
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    } finally {
      asking = false
    }
  }

  return {
    async start() {
      options.events.onCancel((job) => running.get(job)?.cancel.abort())
      options.events.onGap(() => void stopWhatIsOver())
      await calls.serve(handleCall)
      loops = Array.from({ length: options.jobsAtOnce }, () =>
        takeJobs().catch((error: unknown) => log(`Stopped taking jobs: ${String(error)}`)),
      )
    },
    async stop() {
      stopping.abort()
      await Promise.all([calls.stop(), ...loops])
    },
    jobsRunning: () => running.size,
  }
}

/** Brings one delivered job to one outcome that the registry has accepted or refused. Rejects to have it delivered again. */
async function settleJob(
  options: DaemonOptions,
  delivered: DeliveredJob,
  here: RunningHere,
  stopping: AbortSignal,
): Promise<void> {
  const { registry, events, journal, workerId } = options
  const { jobId } = delivered
  const claim = await registry.claimJob(jobId, workerId)
  if (claim.claim === 'settled') {
    journal.forget(jobId)
    await delivered.done()
    return
  }
  if (claim.claim === 'wait') {
    delivered.retry(Math.min(WAIT_MS_MAX, WAIT_MS_EACH * claim.ahead))
    return
  }
  here.fence = claim.fence
  if (claim.fence === 1) {
    events.workspace(jobChanged(jobId, 'running', claim.agent?.agent_id))
  }

  const outcome = journal.find(jobId) ?? (await produceOutcome(options, jobId, claim, here.cancel.signal, stopping))
  journal.keep(jobId, outcome)
  await registry.finishJob(jobId, claim.fence, outcome)
  journal.forget(jobId)
  events.job({ v: WIRE_VERSION, job_id: jobId, state: outcome.state, progress: null })
  await delivered.done()
}

type RunClaim = Extract<Awaited<ReturnType<Registry['claimJob']>>, { claim: 'run' }>

async function produceOutcome(
  options: DaemonOptions,
  jobId: JobId,
  claim: RunClaim,
  cancelled: AbortSignal,
  stopping: AbortSignal,
): Promise<JobOutcome> {
  // A worker that was killed after it wrote: the work is done, and doing it again would do it twice.
  const landed = options.journal.writesOf(jobId).at(-1)
  if (landed?.outcome) return { state: 'succeeded', result: landed.outcome }
  const served = options.servedJobs.get(claim.tool)
  const resumes = served?.resumes === true
  const isCancelled = claim.cancel_requested || cancelled.aborted
  if (isCancelled && !resumes) return cancelledOutcome()
  if (claim.fence > JOB_CLAIMS_MAX && !resumes) {
    return failed({
      code: 'internal',
      message: `Cannot finish the job: the worker stopped ${JOB_CLAIMS_MAX} times while it ran, so it is not tried again`,
      hint: "See the worker's log, then give the task again",
    })
  }
  if (served === undefined) {
    return failed({ code: 'not_found', message: `Cannot run the job: this worker has no tool "${claim.tool}"` })
  }
  const input = v.safeParse(served.input, claim.args)
  if (!input.success) return failed(invalidInput(`the arguments of ${claim.tool}`, input.issues).toWire())
  const leftMs = claim.deadline - Date.now()
  if (leftMs <= 0 && !resumes) return failed(DEADLINE_PASSED)

  const deadline = leftMs > 0 ? AbortSignal.timeout(leftMs) : AbortSignal.abort()
  const stop = isCancelled ? AbortSignal.abort() : cancelled
  try {
    const result = await served.run(input.output, {
      jobId,
      caller: claim.caller,
      agent: claim.agent,
      history: claim.history ?? [],
      fence: claim.fence,
      signal: AbortSignal.any([stop, stopping, deadline]),
      onProgress: (progress: JobProgress) =>
        options.events.job({ v: WIRE_VERSION, job_id: jobId, state: 'running', progress }),
    })
    return { state: 'succeeded', result }
  } catch (error) {
    // What failed came after the rename (a disk that could not sync, say): the file has changed, and that is the outcome.
    const written = options.journal.writesOf(jobId).at(-1)
    if (written?.outcome) return { state: 'succeeded', result: written.outcome }
    if (!(error instanceof AppError && error.code === 'cancelled'))
      return failed(toWireError(error, `job ${jobId}`, options.log))
    if (stop.aborted || cancelled.aborted) return cancelledOutcome(error)
    if (deadline.aborted) return failed({ ...DEADLINE_PASSED, ...toldOf(error) })
    throw error
  }
}

const failed = (error: WireError): JobOutcome => ({ state: 'failed', error })

const DEADLINE_PASSED: WireError = { code: 'timeout', message: 'Cannot finish the job: its deadline has passed' }

/** What the work had cost until it was stopped, and how far it got, where that is told. */
function toldOf(error?: AppError): Pick<WireError, 'details'> {
  const { usage, report } = error?.details ?? {}
  const told = { ...(usage === undefined ? {} : { usage }), ...(report === undefined ? {} : { report }) }
  return Object.keys(told).length === 0 ? {} : { details: told }
}

/** A job that tells how far it got says by itself what it had written. */
function cancelledOutcome(error?: AppError): JobOutcome {
  const written = error?.details?.report === undefined ? undefined : error.message
  const message = written ?? 'The job was cancelled before it wrote anything'
  return { state: 'cancelled', error: { code: 'cancelled', message, ...toldOf(error) } }
}

/** A refusal as it is; anything else is our bug: logged whole, and told to the caller as an id only. */
function toWireError(error: unknown, what: string, log: (line: string) => void): WireError {
  if (error instanceof AppError) return error.toWire()
  log(`Bug in ${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  return { code: 'internal', message: `Something went wrong in the worker (${what})`, hint: "See the worker's log" }
}
