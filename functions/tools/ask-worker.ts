import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import type { CallEnvelope } from '#shared/protocol/envelope.ts'
import { type CallFamily, WIRE_VERSION } from '#shared/protocol/subjects.ts'
import { GetWorkerInfo } from '#shared/protocol/worker-calls.ts'
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

type Asker = Pick<CallContext, 'caller' | 'requestId' | 'signal'>

/**
 * Asks the workspace's worker and parses its answer. Rejects with the worker's own refusal, with those of `WorkerCalls`,
 * or with a plain error (our bug or the worker's) for an answer of another shape.
 */
export async function askWorker<const Output extends v.GenericSchema>(
  ports: EdgePorts,
  question: Question<Output>,
  args: Record<string, unknown>,
  asker: Asker,
  options: AskOptions,
): Promise<v.InferOutput<Output>> {
  const envelope: CallEnvelope = {
    v: WIRE_VERSION,
    id: asker.requestId,
    workspace: ports.workspace,
    caller: asker.caller,
    tool: question.name,
    args,
    agent: options.agent ?? null,
    deadline: ports.clock.now() + options.timeoutMs,
  }
  const reply = await ports.workers.call(question.family, envelope, options.timeoutMs, asker.signal)
  if (!reply.ok) throw AppError.fromWire(reply.error)
  const result = v.safeParse(question.output, reply.result)
  if (!result.success) {
    const fields = result.issues.map((issue) => v.getDotPath(issue) ?? '(whole)').join(', ')
    throw new Error(`The worker's answer to ${question.name} has another shape: ${fields.slice(0, 500)}`)
  }
  return result.output
}

/** Long enough for a busy worker, short enough to ask before other work. */
const PRESENCE_TIMEOUT_MS = 1000

/** False only where nobody listens; a slow worker is a connected one. */
export async function isWorkerConnected(ports: EdgePorts, asker: Asker): Promise<boolean> {
  try {
    await askWorker(ports, GetWorkerInfo, {}, asker, { timeoutMs: PRESENCE_TIMEOUT_MS })
    return true
  } catch (error) {
    return !(error instanceof AppError && error.code === 'worker_offline')
  }
}
