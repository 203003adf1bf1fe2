import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { createMachineIdentity, type MachineIdentity, readMachineFile } from '#gpu-worker/adapters/machine-identity.ts'
import { connectWorker } from '#gpu-worker/adapters/nats-connection.ts'
import { createNatsModelGroup } from '#gpu-worker/adapters/nats-model-group.ts'
import { createNatsModelServer } from '#gpu-worker/adapters/nats-model-server.ts'
import { GroupModel, type GroupTimes } from '#gpu-worker/inference/group-model.ts'
import { createModelDirectory } from '#gpu-worker/inference/model-directory.ts'
import { createModelService, type ModelService } from '#gpu-worker/inference/model-service.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import type { ModelGroup } from '#gpu-worker/ports/model-group.ts'
import { readEdgeKeys } from '#scripts/machines/edge-keys.ts'
import { writeLocalMachine } from '#scripts/machines/machine-file.ts'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { startNatsServer } from '#scripts/nats-server.ts'
import { toWorkspaceId, type WorkspaceId } from '#shared/ids.ts'
import { decodeMessage } from '#shared/protocol/envelope.ts'
import { MODEL_SILENCE_MS, ModelAsk } from '#shared/protocol/model-group.ts'
import type { MachineRole } from '#shared/protocol/signature.ts'
import { modelAskSubject, modelFindSubject, modelQueue, WIRE_VERSION } from '#shared/protocol/subjects.ts'

/** A NATS server with model workers and their callers in this process, each on its own credential. */
export interface ModelGroupWorld {
  /** Serves models in a workspace, as a worker of its own. Its NATS connection can be cut off. */
  serve(workspace: string, ...models: LanguageModel[]): Promise<ServedMember>
  /** A member of a name's group that hears what it is asked and says nothing, as one that stands still. */
  serveDeaf(workspace: string, model: string): Promise<{ asked(): number }>
  /** A machine that was enrolled as a model worker, and says what it likes, given the id of the call. */
  serveHostile(
    workspace: string,
    model: string,
    words: (id: string) => readonly string[],
    as?: 'model' | 'nobody' | 'stranger',
  ): Promise<void>
  /**
   * Asks, and stands by the call for a moment, as a machine without a key; one of another edge; a model worker; the
   * repository worker of another workspace.
   */
  askAs(who: 'nobody' | 'stranger' | 'model' | 'elsewhere', workspace: string, model: string): Promise<void>
  /** The model of this name as a repository worker of the workspace has it. */
  connect(workspace: string, model: string): Promise<GroupModel>
  /** Cuts the connection of the last `connect`. */
  cutCaller(): Promise<void>
  /** Sends an ask, waits until a member has accepted it, and says no more. Resolves when the member has given it up. */
  askAndLeave(workspace: string, model: string): Promise<void>
  /** Asks that are not over, seen from the callers. */
  openCalls(): number
  /** Kills the NATS server and starts it again where it was. */
  restartNats(): Promise<void>
  close(): Promise<void>
}

export interface ServedMember {
  readonly member: string
  readonly service: ModelService
  readonly connection: NatsConnection
}

export async function startModelGroupWorld(times?: GroupTimes): Promise<ModelGroupWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-group-'))
  const binary = await findNatsServer()
  let nats = await startNatsServer({ binary, dataFolder: join(folder, 'nats') })
  let members = 0
  let caller: NatsConnection | undefined
  const ends: (() => unknown)[] = []
  let open = 0

  const edgeKeys = readEdgeKeys(join(folder, 'signing-key'))
  const strangers = readEdgeKeys(join(folder, 'key-of-another-edge'))
  let machines = 0
  /** Credentials of a machine that the edge of this world knows. */
  const identityOf = async (
    role: MachineRole,
    workspace: WorkspaceId | '*',
    edge = edgeKeys,
  ): Promise<MachineIdentity> => {
    const file = join(folder, `machine-${++machines}.json`)
    await writeLocalMachine(file, await edge, { role, workspace })
    return createMachineIdentity(readMachineFile(file))
  }

  /** Counts what is asked and not let go of. */
  const counted = (group: ModelGroup): ModelGroup => ({
    find: group.find,
    ask(...call) {
      const exchange = group.ask(...call)
      open++
      return {
        say: exchange.say,
        close() {
          open--
          exchange.close()
        },
      }
    },
  })

  const connect = (role: 'worker' | 'model'): Promise<NatsConnection> =>
    connectWorker({ url: nats.url(role) }, role, new AbortController().signal)

  /** One that signs nothing. */
  const mute = (identity: MachineIdentity): MachineIdentity => ({ ...identity, prove: () => headers() })

  const groupOf = async (connection: NatsConnection, workspace: string): Promise<ModelGroup> => {
    const name = toWorkspaceId(workspace)
    return createNatsModelGroup(connection, name, await identityOf('repository', name))
  }

  return {
    openCalls: () => open,
    async serve(workspace, ...models) {
      const member = randomUUID()
      const connection = await connect('model')
      const service = createModelService({
        member,
        host: `box-${++members}`,
        models,
        server: createNatsModelServer(connection, toWorkspaceId(workspace), member, await identityOf('model', '*')),
        log: () => undefined,
        ...(times === undefined ? {} : { times }),
      })
      await service.start()
      ends.push(async () => {
        await service.stop()
        await connection.close()
      })
      return { member, service, connection }
    },
    async serveDeaf(workspace, model) {
      const connection = await connect('model')
      const subscription = connection.subscribe(modelAskSubject(toWorkspaceId(workspace), model), {
        queue: modelQueue(model),
        callback: () => undefined,
      })
      await connection.flush()
      ends.push(() => connection.close())
      return { asked: () => subscription.getReceived() }
    },
    async askAs(who, workspace, model) {
      const space = toWorkspaceId(workspace)
      const connection = await connect('worker')
      const identity = {
        nobody: async () => mute(await identityOf('repository', space)),
        stranger: () => identityOf('repository', space, strangers),
        model: () => identityOf('model', space),
        elsewhere: () => identityOf('repository', toWorkspaceId('elsewhere')),
      }[who]
      const group = createNatsModelGroup(connection, space, await identity())
      const ask: ModelAsk = {
        v: WIRE_VERSION,
        id: randomUUID(),
        model,
        time_left_ms: 60_000,
        kind: 'generate',
        request: { turns: [{ role: 'user', text: 'Write' }], answerTokensMax: 5, temperature: 0 },
      }
      const exchange = group.ask(ask, null, () => undefined)
      await connection.flush()
      exchange.say('go_on')
      await connection.flush()
      // A member that believes it answers within milliseconds.
      await setTimeout(200)
      await connection.close()
    },
    async serveHostile(workspace, model, words, as = 'model') {
      const connection = await connect('model')
      const signing = await identityOf('model', '*', as === 'stranger' ? strangers : edgeKeys)
      const identity = as === 'nobody' ? mute(signing) : signing
      const say = (message: Msg, id: string) => {
        const subject = message.reply ?? ''
        for (const word of words(id)) {
          const body = new TextEncoder().encode(word)
          message.respond(body, { headers: identity.prove({ purpose: 'model_answer', subject, body }) })
        }
      }
      connection.subscribe(modelFindSubject(toWorkspaceId(workspace)), {
        callback: (_error, message) => say(message, ''),
      })
      connection.subscribe(modelAskSubject(toWorkspaceId(workspace), model), {
        queue: modelQueue(model),
        callback: (_error, message) => say(message, decodeMessage('an ask', ModelAsk, message.data).id),
      })
      await connection.flush()
      ends.push(() => connection.close())
    },
    async connect(workspace, name) {
      const connection = await connect('worker')
      caller = connection
      const group = counted(await groupOf(connection, workspace))
      const directory = createModelDirectory(group, 'self')
      ends.push(() => {
        directory.stop()
        return connection.close()
      })
      return new GroupModel({ name, group, directory, log: () => undefined, ...(times === undefined ? {} : { times }) })
    },
    async askAndLeave(workspace, model) {
      const connection = await connect('worker')
      const group = await groupOf(connection, workspace)
      const accepted = Promise.withResolvers<void>()
      const ask: ModelAsk = {
        v: WIRE_VERSION,
        id: randomUUID(),
        model,
        time_left_ms: 60_000,
        kind: 'generate',
        request: { turns: [{ role: 'user', text: 'Write' }], answerTokensMax: 5, temperature: 0 },
      }
      group.ask(ask, null, (answer) => {
        if (answer?.kind === 'accepted') accepted.resolve()
      })
      await accepted.promise
      await setTimeout(2 * (times?.silence ?? MODEL_SILENCE_MS))
      await connection.close()
    },
    cutCaller: async () => caller?.close(),
    async restartNats() {
      nats.kill()
      await nats.exited
      nats = await startNatsServer({ binary, dataFolder: join(folder, 'nats'), port: nats.port })
    },
    async close() {
      await Promise.all(ends.map((end) => end()))
      await nats.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
