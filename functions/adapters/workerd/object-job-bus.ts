import { waitUntil } from 'cloudflare:workers'
import type { JobBus } from '../../ports/job-bus.ts'
import { fromAnswer } from './answer.ts'
import { keepWatching } from './kept-watch.ts'
import { RetryGate } from './retry-gate.ts'
import type { ObjectNamespace } from './runtime.ts'
import { type LinkStub, linkOf } from './stubs.ts'

/** The job bus by way of the object that holds the connection. */
export function createObjectJobBus(objects: ObjectNamespace<LinkStub>): JobBus {
  const stub = () => linkOf(objects)
  const gate = new RetryGate({ now: () => Date.now() })
  /** Best effort, like the messages themselves; but a request that ends must not take it back. */
  const send = (sent: Promise<void>) => waitUntil(sent.catch(() => undefined))
  return {
    publish: (workspace, job, attempt) => fromAnswer('the message bus', stub().publish(workspace, job, attempt)),
    requestCancel: (workspace, job) => send(stub().requestCancel(workspace, job)),
    announce: (workspace, event) => send(stub().announce(workspace, event)),
    watch: (workspace, job, listener) =>
      keepWatching((hear: typeof listener) => stub().watch(workspace, job, hear), listener, gate),
    watchWorkspace: (workspace, listener) =>
      keepWatching((hear: typeof listener) => stub().watchWorkspace(workspace, hear), listener, gate),
    progress: (workspace, job) =>
      stub()
        .progress(workspace, job)
        .catch(() => null),
    ping: () =>
      stub()
        .ping()
        .catch(() => false),
  }
}
