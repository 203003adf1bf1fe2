import type { WorkspaceId } from '#shared/ids.ts'
import type { Registry } from '../../ports/registry.ts'
import { fromAnswer } from './answer.ts'
import type { ObjectNamespace } from './runtime.ts'
import type { RegistryStub } from './stubs.ts'

type WorkspaceMethod = Exclude<keyof Registry, 'ping'>

/** The registry by way of its objects, of which each workspace has one. `home` is whose store `ping` asks. */
export function createObjectRegistry(objects: ObjectNamespace<RegistryStub>, home: WorkspaceId): Registry {
  const stub = (workspace: WorkspaceId) => objects.get(objects.idFromName(workspace))

  /** A method that names its workspace first. */
  const remote = <Method extends WorkspaceMethod>(method: Method): Registry[Method] =>
    ((...values: Parameters<Registry[Method]>) =>
      fromAnswer('the registry', stub(values[0]).call(method, values))) as Registry[Method]

  return {
    createAgent: remote('createAgent'),
    getAgent: remote('getAgent'),
    listAgents: remote('listAgents'),
    countAgents: remote('countAgents'),
    updateAgent: remote('updateAgent'),
    deleteAgent: remote('deleteAgent'),
    findOwners: remote('findOwners'),
    listOwners: remote('listOwners'),
    takeAgent: remote('takeAgent'),
    releaseAgent: remote('releaseAgent'),
    listMessages: remote('listMessages'),
    getUsage: remote('getUsage'),
    createJob: remote('createJob'),
    withdrawJob: remote('withdrawJob'),
    getJob: remote('getJob'),
    listJobs: remote('listJobs'),
    countJobs: remote('countJobs'),
    claimJob: remote('claimJob'),
    findClaimant: remote('findClaimant'),
    finishJob: remote('finishJob'),
    findOver: remote('findOver'),
    cancelJob: remote('cancelJob'),
    cancelCall: remote('cancelCall'),
    markPublished: remote('markPublished'),
    async ping() {
      try {
        return await fromAnswer('the registry', stub(home).call('ping', []))
      } catch {
        return false
      }
    },
  }
}
