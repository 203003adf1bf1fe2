import type { WorkerCalls } from '../../ports/worker-calls.ts'
import { createWorkerCalls } from '../worker-calls.ts'
import { fromAnswer } from './answer.ts'
import type { ObjectNamespace } from './runtime.ts'
import { type LinkStub, linkOf } from './stubs.ts'

/** Calls to workers by way of the object that holds the connection. */
export function createObjectWorkerCalls(objects: ObjectNamespace<LinkStub>): WorkerCalls {
  return createWorkerCalls((subject, question, timeoutMs) =>
    fromAnswer('the message bus', linkOf(objects).request(subject, question, timeoutMs)),
  )
}
