import type { WorkerCalls } from '../../ports/worker-calls.ts'
import { untilAborted } from '../until-aborted.ts'
import { fromAnswer } from './answer.ts'
import type { ObjectNamespace } from './runtime.ts'
import { type LinkStub, linkOf } from './stubs.ts'

/** Calls to workers by way of the object that holds the connection. */
export function createObjectWorkerCalls(objects: ObjectNamespace<LinkStub>): WorkerCalls {
  return {
    call: (family, envelope, timeoutMs, signal) =>
      untilAborted(fromAnswer('the message bus', linkOf(objects).call(family, envelope, timeoutMs)), signal),
  }
}
