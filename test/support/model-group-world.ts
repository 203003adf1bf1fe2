import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import { connectWorker } from '#gpu-worker/adapters/nats-connection.ts'
import { createNatsModelGroup } from '#gpu-worker/adapters/nats-model-group.ts'
import { createNatsModelServer } from '#gpu-worker/adapters/nats-model-server.ts'
import { GroupModel, type GroupTimes } from '#gpu-worker/inference/group-model.ts'
import { createModelDirectory } from '#gpu-worker/inference/model-directory.ts'
import { createModelService, type ModelService } from '#gpu-worker/inference/model-service.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import type { ModelGroup } from '#gpu-worker/ports/model-group.ts'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { startNatsServer } from '#scripts/nats-server.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { decodeMessage } from '#shared/protocol/envelope.ts'
import { MODEL_SILENCE_MS, ModelAsk } from '#shared/protocol/model-group.ts'
import { modelAskSubject, modelFindSubject, modelQueue, WIRE_VERSION } from '#shared/protocol/subjects.ts'

/** A NATS server with model workers and their callers in this process, each on its own credential. */
export interface ModelGroupWorld {
  /** Serves models in a workspace, as a worker of its own. Its NATS connection can be cut off. */
  serve(workspace: string, ...models: LanguageModel[]): Promise<ServedMember>
  /** A member of a name's group that hears what it is asked and says nothing, as one that stands still. */
  serveDeaf(workspace: string, model: string): Promise<{ asked(): number }>
  /** A machine with the password of model workers that says what it likes, given the id of the call. */
  serveHostile(workspace: string, model: string, words: (id: string) => readonly string[]): Promise<void>
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

  return {
    openCalls: () => open,
    async serve(workspace, ...models) {
      const member = randomUUID()
      const connection = await connect('model')
      const service = createModelService({
        member,
        host: `box-${++members}`,
        models,
        server: createNatsModelServer(connection, toWorkspaceId(workspace), member),
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
    async serveHostile(workspace, model, words) {
      const connection = await connect('model')
      const say = (message: Msg, id: string) => {
        for (const word of words(id)) message.respond(word)
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
      const group = counted(createNatsModelGroup(connection, toWorkspaceId(workspace)))
      const directory = createModelDirectory(group, 'self')
      ends.push(() => {
        directory.stop()
        return connection.close()
      })
      return new GroupModel({ name, group, directory, log: () => undefined, ...(times === undefined ? {} : { times }) })
    },
    async askAndLeave(workspace, model) {
      const connection = await connect('worker')
      const group = createNatsModelGroup(connection, toWorkspaceId(workspace))
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
