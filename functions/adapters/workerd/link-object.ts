import { DurableObject, RpcTarget } from 'cloudflare:workers'
import type { JobId, WorkspaceId } from '#shared/ids.ts'
import type { WorkspaceEvent } from '#shared/schemas/event.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import { createQuestionGate } from '../../jobs/question-gate.ts'
import { createRegistryService } from '../../jobs/registry-service.ts'
import type { JobBus } from '../../ports/job-bus.ts'
import type { Log } from '../../ports/log.ts'
import { type EdgeEnvironment, parseWorkerdConfig } from '../../workerd-config.ts'
import { createMachineTrust } from '../ed25519-machine-trust.ts'
import { lazySigner } from '../ed25519-signer.ts'
import { createNatsJobBus } from '../nats/nats-job-bus.ts'
import { createNatsLink } from '../nats/nats-link.ts'
import { serveRegistry } from '../nats/nats-registry-service.ts'
import { createNatsRequest } from '../nats/nats-worker-calls.ts'
import type { WorkerRequest } from '../worker-calls.ts'
import { type Answer, toAnswer } from './answer.ts'
import { createConsoleLog } from './console-log.ts'
import { connectNatsWebSocket } from './nats-websocket.ts'
import { createObjectAccounts } from './object-accounts.ts'
import { createObjectRegistry } from './object-registry.ts'
import type { ObjectNamespace, ObjectState, RemoteFunction, RemoteWatch } from './runtime.ts'
import type { AccountsStub, LinkStub, RegistryStub } from './stubs.ts'

/** An object is put away some 70 seconds after it was last asked; the workers' questions do not count as asking. */
const HEARTBEAT_MS = 15_000
/** What a call waits for the first connection of an object that has just come up. */
const FIRST_CONNECTION_MS = 3000

export interface LinkEnvironment extends EdgeEnvironment {
  readonly REGISTRY: ObjectNamespace<RegistryStub>
  readonly ACCOUNTS: ObjectNamespace<AccountsStub>
}

/**
 * The connection to NATS. A socket that one request has opened may not serve another, so it lives in an object, of which
 * there is one; that object answers the workers' questions to the registry as well. Its alarm keeps it there.
 */
export class LinkObject extends DurableObject<LinkEnvironment> implements LinkStub {
  readonly #bus: JobBus
  readonly #request: WorkerRequest
  readonly #log: Log = createConsoleLog()
  /** Resolves when there has been a connection that hears, or the time to wait for one is over. */
  readonly #connected: Promise<unknown>

  constructor(ctx: ObjectState, env: LinkEnvironment) {
    super(ctx, env)
    const { nats, workspace, signingKeys } = parseWorkerdConfig(env)
    const signer = lazySigner(signingKeys[0])
    const link = createNatsLink(() => connectNatsWebSocket(nats), this.#log)
    this.#connected = Promise.race([
      new Promise<void>((resolve) => link.onReturn(resolve)),
      new Promise<void>((resolve) => setTimeout(resolve, FIRST_CONNECTION_MS)),
    ])
    this.#bus = createNatsJobBus(link, signer)
    this.#request = createNatsRequest(link, signer)
    const registry = createObjectRegistry(env.REGISTRY, workspace)
    const gate = createQuestionGate({
      trust: createMachineTrust(signingKeys),
      accounts: createObjectAccounts(env.ACCOUNTS),
      clock: { now: () => Date.now() },
      log: this.#log,
    })
    const service = createRegistryService({ registry, bus: this.#bus })
    serveRegistry(link, { service, gate, signer, log: this.#log })
    void this.#beatLater()
  }

  async request(subject: string, question: Uint8Array, timeoutMs: number): Promise<Answer<Uint8Array>> {
    await this.#connected
    return toAnswer(() => this.#request(subject, question, timeoutMs), this.#log)
  }

  async publish(workspace: WorkspaceId, job: JobId, attempt: number): Promise<Answer<void>> {
    await this.#connected
    return toAnswer(() => this.#bus.publish(workspace, job, attempt), this.#log)
  }

  async requestCancel(workspace: WorkspaceId, job: JobId): Promise<void> {
    await this.#connected
    this.#bus.requestCancel(workspace, job)
  }

  async announce(workspace: WorkspaceId, event: WorkspaceEvent): Promise<void> {
    await this.#connected
    this.#bus.announce(workspace, event)
  }

  async watch(
    workspace: WorkspaceId,
    job: JobId,
    listener: RemoteFunction<[JobProgress | null]>,
  ): Promise<RemoteWatch> {
    return this.#hold(listener, (tell) => this.#bus.watch(workspace, job, tell))
  }

  async watchWorkspace(
    workspace: WorkspaceId,
    listener: RemoteFunction<[WorkspaceEvent | null]>,
  ): Promise<RemoteWatch> {
    return this.#hold(listener, (tell) => this.#bus.watchWorkspace(workspace, tell))
  }

  progress(workspace: WorkspaceId, job: JobId): Promise<JobProgress | null> {
    return this.#bus.progress(workspace, job)
  }

  async ping(): Promise<boolean> {
    await this.#connected
    return this.#bus.ping()
  }

  /** The object is there when this runs, which is all that it is for: its constructor connects. */
  async alarm(): Promise<void> {
    await this.#beatLater()
  }

  /** Keeps what is to be told for as long as whoever gave it holds the answer. */
  async #hold<T>(
    listener: RemoteFunction<[T]>,
    begin: (tell: (news: T) => void) => Promise<() => void>,
  ): Promise<RemoteWatch> {
    const kept = listener.dup()
    await this.#connected
    // Who no longer listens has gone away, and disposes of the watch by that.
    const stop = await begin((news) => void kept(news).catch(() => undefined))
    return new Watch(() => {
      stop()
      kept[Symbol.dispose]()
    })
  }

  #beatLater(): Promise<void> {
    return this.ctx.storage.setAlarm(Date.now() + HEARTBEAT_MS)
  }
}

/** The runtime disposes of it when its holder does, or is gone. */
class Watch extends RpcTarget implements RemoteWatch {
  readonly #stop: () => void
  #stopped = false

  constructor(stop: () => void) {
    super()
    this.#stop = stop
  }

  /** That it answers at all is the answer. */
  async check(): Promise<void> {}

  [Symbol.dispose](): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#stop()
  }
}
