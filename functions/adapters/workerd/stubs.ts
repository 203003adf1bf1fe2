import type { JobId, WorkspaceId } from '#shared/ids.ts'
import type { WorkspaceEvent } from '#shared/schemas/event.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import type { Accounts } from '../../ports/accounts.ts'
import type { RegistryStore } from '../../ports/registry.ts'
import type { Answer } from './answer.ts'
import type { ObjectNamespace, RemoteWatch } from './runtime.ts'

/** A workspace's registry, as others see it. */
export interface RegistryStub {
  call<Method extends keyof RegistryStore>(
    method: Method,
    values: Parameters<RegistryStore[Method]>,
  ): Promise<Answer<Awaited<ReturnType<RegistryStore[Method]>>>>
}

/** The accounts, as others see them. */
export interface AccountsStub {
  call<Method extends keyof Accounts>(
    method: Method,
    values: Parameters<Accounts[Method]>,
  ): Promise<Answer<Awaited<ReturnType<Accounts[Method]>>>>
}

/** The connection to NATS, as others see it. */
export interface LinkStub {
  /** As `WorkerRequest`. Bytes, since objects would be taken apart and put together on both sides. */
  request(subject: string, question: Uint8Array, timeoutMs: number): Promise<Answer<Uint8Array>>
  publish(workspace: WorkspaceId, job: JobId, attempt: number): Promise<Answer<void>>
  requestCancel(workspace: WorkspaceId, job: JobId): Promise<void>
  announce(workspace: WorkspaceId, event: WorkspaceEvent): Promise<void>
  /** Hears until what it gives is disposed of, or whoever holds it is gone. */
  watch(
    workspace: WorkspaceId,
    job: JobId,
    listener: (progress: JobProgress | null) => void | Promise<void>,
  ): Promise<RemoteWatch>
  /** The same for a whole workspace. */
  watchWorkspace(
    workspace: WorkspaceId,
    listener: (event: WorkspaceEvent | null) => void | Promise<void>,
  ): Promise<RemoteWatch>
  progress(workspace: WorkspaceId, job: JobId): Promise<JobProgress | null>
  ping(): Promise<boolean>
}

/** The one object that holds the connection. */
export function linkOf(objects: ObjectNamespace<LinkStub>): LinkStub {
  return objects.get(objects.idFromName('nats'))
}
