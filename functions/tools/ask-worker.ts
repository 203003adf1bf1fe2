import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import type { CallEnvelope, CallReply } from '#shared/protocol/envelope.ts'
import { type CallFamily, WIRE_VERSION } from '#shared/protocol/subjects.ts'
import { CallState, GetWorkerInfo } from '#shared/protocol/worker-calls.ts'
import type { ActingAgent } from '#shared/schemas/agent.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import type { CallContext } from './call-context.ts'

interface Question<Output extends v.GenericSchema> {
  readonly name: string
  readonly family: CallFamily
  readonly output: Output
}

interface AskOptions {
  readonly timeoutMs: number
  readonly agent?: ActingAgent
}

/** What asking takes of the world. */
export type AskPorts = Pick<EdgePorts, 'workspace' | 'workers' | 'clock'>

type Asker = Pick<CallContext, 'caller' | 'signal'>

/**
 * Asks the workspace's worker and parses its answer. Rejects with the worker's own refusal, with those of `WorkerCalls`,
 * or with a plain error (our bug or the worker's) for an answer of another shape.
 */
export async function askWorker<const Output extends v.GenericSchema>(
  ports: AskPorts,
  question: Question<Output>,
  args: Record<string, unknown>,
  asker: Asker,
  options: AskOptions,
): Promise<v.InferOutput<Output>> {
  const envelope: CallEnvelope = {
    v: WIRE_VERSION,
    // Its own, since one request may ask several times, and the worker takes no question twice.
    id: crypto.randomUUID(),
    workspace: ports.workspace,
    caller: asker.caller,
    tool: question.name,
    args,
    agent: options.agent ?? null,
    deadline: ports.clock.now() + options.timeoutMs,
  }
  const reply = await callWhileThere(ports, question.family, envelope, options.timeoutMs, asker.signal)
  if (!reply.ok) throw AppError.fromWire(reply.error)
  const result = v.safeParse(question.output, reply.result)
  if (!result.success) {
    const fields = result.issues.map((issue) => v.getDotPath(issue) ?? '(whole)').join(', ')
    throw new Error(`The worker's answer to ${question.name} has another shape: ${fields.slice(0, 500)}`)
  }
  return result.output
}

/** Most calls are answered by then, and cost no question. */
const LOOK_AFTER_MS = 2000

/**
 * A call that ends as soon as its worker is known to have lost it: killed, and perhaps started again. The worker gets a
 * question after the call itself, so one that does not know the call has answered it or never will.
 */
async function callWhileThere(
  ports: AskPorts,
  family: CallFamily,
  envelope: CallEnvelope,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<CallReply> {
  const call = ports.workers.call(family, envelope, timeoutMs, signal)
  if (timeoutMs <= LOOK_AFTER_MS) return call
  const lost = Promise.withResolvers<never>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let answered = false
  const look = async (): Promise<void> => {
    const goesOn = await isUnderWay(ports, envelope, signal)
    if (answered) return
    if (goesOn) timer = setTimeout(look, LOOK_AFTER_MS)
    else lost.reject(lostCall())
  }
  timer = setTimeout(look, LOOK_AFTER_MS)
  try {
    return await Promise.race([call, lost.promise])
  } finally {
    answered = true
    clearTimeout(timer)
    // Of a call that was lost nobody hears the end.
    call.catch(() => undefined)
  }
}

const lostCall = (): AppError =>
  new AppError('worker_offline', 'Cannot tell how the call ended: the worker went away before it answered', {
    hint: 'Look at the state with a read before you repeat a change: it may have been made',
  })

/** False only where nobody listens, or the worker says so; one that is slow or too busy to say is at work. */
async function isUnderWay(ports: AskPorts, { id, caller }: CallEnvelope, signal: AbortSignal): Promise<boolean> {
  const asker = { caller, signal }
  try {
    return (await askWorker(ports, CallState, { call_id: id }, asker, { timeoutMs: LOOK_AFTER_MS })).under_way
  } catch (error) {
    return !(error instanceof AppError && error.code === 'worker_offline')
  }
}

/** Long enough for a busy worker, short enough to ask before other work. */
const PRESENCE_TIMEOUT_MS = 1000

/** False only where nobody listens; a slow worker is a connected one. */
export async function isWorkerConnected(ports: AskPorts, asker: Asker): Promise<boolean> {
  try {
    await askWorker(ports, GetWorkerInfo, {}, asker, { timeoutMs: PRESENCE_TIMEOUT_MS })
    return true
  } catch (error) {
    return !(error instanceof AppError && error.code === 'worker_offline')
  }
}
