import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { WorkspaceId } from '#shared/ids.ts'
import { decodeMessage, encodeMessage } from '#shared/protocol/envelope.ts'
import { MESSAGE_BYTES_MAX, NATS_PAYLOAD_BYTES_MAX } from '#shared/protocol/limits.ts'
import { FindModels, type ModelAnswer, ModelAsk, ModelControl } from '#shared/protocol/model-group.ts'
import { notSigned } from '#shared/protocol/signature.ts'
import {
  modelAskSubject,
  modelCallSubject,
  modelFindSubject,
  modelMemberSubject,
  modelQueue,
} from '#shared/protocol/subjects.ts'
import type { ModelGroupServer } from '../ports/model-group.ts'
import type { MachineIdentity } from './machine-identity.ts'

/** What a message leaves for its headers. */
const HEADER_BYTES = NATS_PAYLOAD_BYTES_MAX - MESSAGE_BYTES_MAX
/** So often it is looked whether a model goes by another name now. */
const NAMES_MS = 1000

/** Serves models to the repository workers of one workspace, or of all (`*`), as member `member` of each name's queue group. */
export function createNatsModelServer(
  connection: NatsConnection,
  workspace: WorkspaceId | '*',
  member: string,
  identity: MachineIdentity,
): ModelGroupServer {
  const fixed: Subscription[] = []
  const byName = new Map<string, Subscription>()
  let timer: NodeJS.Timeout | undefined

  /** Signed for this one question: no two have the same place for their answers. */
  function say({ reply: subject }: Msg, body: Uint8Array): void {
    if (subject === undefined) return
    connection.publish(subject, body, { headers: identity.prove({ purpose: 'model_answer', subject, body }) })
  }

  /** The workspace that a message names. Throws AppError where no repository worker of that workspace has made it. */
  function workspaceOf({ subject, data: body, headers }: Msg): WorkspaceId {
    const from = v.parse(WorkspaceId, subject.split('.')[1])
    const machine = identity.verifyPeer('the task', { purpose: 'model_ask', subject, body }, headers)
    if (machine.role !== 'repository' || machine.workspace !== from) {
      throw notSigned('the task', 'its sender is no repository worker of this workspace')
    }
    return from
  }

  function respond(message: Msg, id: string, answer: ModelAnswer): void {
    if (connection.isClosed()) return
    const bytesMax = Math.max(0, (connection.info?.max_payload ?? 0) - HEADER_BYTES)
    try {
      say(message, encodeMessage('the answer', answer, bytesMax))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      const refusal: ModelAnswer = {
        v: answer.v,
        id,
        member,
        kind: 'refused',
        info: null,
        error: error.toWire(),
      }
      say(message, encodeMessage('the answer', refusal, bytesMax))
    }
  }

  return {
    async serve({ names, describe, onAsk, onControl }) {
      const listen = (subject: string, onMessage: (message: Msg) => void, queue?: string): Subscription =>
        connection.subscribe(subject, {
          ...(queue === undefined ? {} : { queue }),
          callback: (error, message) => {
            if (error !== null) return
            try {
              onMessage(message)
            } catch (cause) {
              // What cannot be read is not answered: its sender hears nothing and asks another.
              if (!(cause instanceof AppError)) throw cause
            }
          },
        })
      const take = (message: Msg) => {
        const from = workspaceOf(message)
        const ask = decodeMessage('a task for a model', ModelAsk, message.data)
        onAsk({ workspace: from, ask, answer: (answer) => respond(message, ask.id, answer) })
      }
      const followNames = () => {
        const wanted = new Set(names())
        for (const [name, subscription] of byName) {
          if (wanted.has(name)) continue
          subscription.unsubscribe()
          byName.delete(name)
        }
        for (const name of wanted) {
          if (!byName.has(name)) byName.set(name, listen(modelAskSubject(workspace, name), take, modelQueue(name)))
        }
      }
      fixed.push(listen(modelMemberSubject(workspace, member), take))
      fixed.push(
        listen(modelFindSubject(workspace), (message) => {
          workspaceOf(message)
          decodeMessage('a question for models', FindModels, message.data)
          say(message, new TextEncoder().encode(JSON.stringify(describe())))
        }),
      )
      // Stays until the connection ends: calls that are under way when we stop are still let go of.
      listen(modelCallSubject(workspace, '*'), (message) => {
        workspaceOf(message)
        const { say: word } = decodeMessage('a word about a call', ModelControl, message.data)
        onControl(message.subject.split('.').at(-1) ?? '', word)
      })
      followNames()
      timer = setInterval(followNames, NAMES_MS)
      await connection.flush()
    },
    async stop() {
      clearInterval(timer)
      for (const subscription of [...fixed, ...byName.values()]) subscription.unsubscribe()
    },
  }
}
