import { waitUntil } from 'cloudflare:workers'
import type { JobBus } from '../../ports/job-bus.ts'
import { fromAnswer } from './answer.ts'
import type { ObjectNamespace } from './runtime.ts'
import { type LinkStub, linkOf } from './stubs.ts'

/** The job bus by way of the object that holds the connection. */
export function createObjectJobBus(objects: ObjectNamespace<LinkStub>): JobBus {
  const stub = () => linkOf(objects)
  /** Best effort, like the messages themselves; but a request that ends must not take it back. */
  const send = (sent: Promise<void>) => waitUntil(sent.catch(() => undefined))
  return {
    publish: (workspace, job, attempt) => fromAnswer('the message bus', stub().publish(workspace, job, attempt)),
    requestCancel: (workspace, job) => send(stub().requestCancel(workspace, job)),
    announce: (workspace, event) => send(stub().announce(workspace, event)),
    async watch(workspace, job, listener) {
      try {
        const watch = await stub().watch(workspace, job, (progress) => listener(progress))
        return () => watch[Symbol.dispose]()
      } catch {
        return () => undefined
      }
    },
    async watchWorkspace(workspace, listener) {
      try {
        const watch = await stub().watchWorkspace(workspace, (event) => listener(event))
        return () => watch[Symbol.dispose]()
      } catch {
        return () => undefined
      }
    },
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
