import { setTimeout as sleep } from 'node:timers/promises'
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { AppError } from '#shared/errors.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { decodeMessage, encodeMessage } from '#shared/protocol/envelope.ts'
import { MESSAGE_BYTES_MAX, NATS_PAYLOAD_BYTES_MAX } from '#shared/protocol/limits.ts'
import { type FindModels, ModelAnswer, type ModelControl, ModelMember } from '#shared/protocol/model-group.ts'
import {
  MODEL_ANSWER_INBOX,
  modelAskSubject,
  modelCallSubject,
  modelFindSubject,
  modelMemberSubject,
  WIRE_VERSION,
} from '#shared/protocol/subjects.ts'
import type { ModelGroup } from '../ports/model-group.ts'
import type { MachineIdentity } from './machine-identity.ts'

/** On one network an answer takes a millisecond; across a continent a tenth of a second. */
const FIND_MS = 400
/** A guard against a subject that something answers in a loop. */
const MEMBERS_MAX = 1000
/** Of a member's introduction: some hundred models. What is larger is no introduction. */
const MEMBER_BYTES_MAX = 64 * 1024

/** What a message leaves for its headers. */
const HEADER_BYTES = NATS_PAYLOAD_BYTES_MAX - MESSAGE_BYTES_MAX

/** How NATS says that nobody listens on a subject. */
const isNobody = (message: Msg): boolean => message.data.byteLength === 0 && message.headers?.code === 503

/** Asks the model workers of a workspace, and believes those that the edge knows. */
export function createNatsModelGroup(
  connection: NatsConnection,
  workspace: WorkspaceId,
  identity: MachineIdentity,
  inboxPrefix: string = MODEL_ANSWER_INBOX,
): ModelGroup {
  const bytesMax = () => Math.max(0, (connection.info?.max_payload ?? 0) - HEADER_BYTES)
  const publish = (subject: string, body: Uint8Array, reply?: string): void => {
    if (connection.isClosed()) return
    const headers = identity.prove({ purpose: 'model_ask', subject, body })
    connection.publish(subject, body, { headers, ...(reply === undefined ? {} : { reply }) })
  }

  /** Null for what is no answer of a machine that may answer here: its sender falls silent for us, and the call goes elsewhere. */
  function read<Schema extends typeof ModelAnswer | typeof ModelMember>(schema: Schema, message: Msg) {
    try {
      const { subject, data: body, headers } = message
      const machine = identity.verifyPeer('an answer', { purpose: 'model_answer', subject, body }, headers)
      if (machine.workspace !== '*' && machine.workspace !== workspace) return null
      return decodeMessage('what a model worker says', schema, body)
    } catch (error) {
      if (error instanceof AppError) return null
      throw error
    }
  }

  return {
    async find() {
      if (connection.isClosed()) return []
      const found = new Map<string, ModelMember>()
      const nobody = new AbortController()
      const inbox = createInbox(inboxPrefix)
      const subscription = connection.subscribe(inbox, {
        callback: (error, message) => {
          if (error !== null) return
          if (isNobody(message)) return nobody.abort()
          if (message.data.byteLength > MEMBER_BYTES_MAX) return
          const member = read(ModelMember, message)
          if (member !== null && found.size < MEMBERS_MAX) found.set(member.member, member)
        },
      })
      publish(modelFindSubject(workspace), encode({ v: WIRE_VERSION } satisfies FindModels), inbox)
      await sleep(FIND_MS, undefined, { signal: nobody.signal }).catch(() => undefined)
      subscription.unsubscribe()
      return [...found.values()]
    },

    ask(ask, member, onAnswer) {
      const bytes = encodeMessage('the task to the model worker', ask, bytesMax())
      if (connection.isClosed()) throw new AppError('unavailable', 'Cannot reach the model workers: not connected')
      const inbox = createInbox(inboxPrefix)
      const subscription = connection.subscribe(inbox, {
        callback: (error, message) => {
          if (error !== null) return
          if (isNobody(message)) return onAnswer(null)
          const answer = read(ModelAnswer, message)
          if (answer?.id === ask.id) onAnswer(answer)
        },
      })
      const subject = member === null ? modelAskSubject(workspace, ask.model) : modelMemberSubject(workspace, member)
      publish(subject, bytes, inbox)
      return {
        say: (say) =>
          publish(modelCallSubject(workspace, ask.id), encode({ v: WIRE_VERSION, say } satisfies ModelControl)),
        close: () => subscription.unsubscribe(),
      }
    },
  }
}

const encode = (message: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(message))
