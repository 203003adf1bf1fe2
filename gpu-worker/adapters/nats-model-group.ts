import { setTimeout as sleep } from 'node:timers/promises'
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { AppError } from '#shared/errors.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { decodeMessage, encodeMessage } from '#shared/protocol/envelope.ts'
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

/** On one network an answer takes a millisecond; across a continent a tenth of a second. */
const FIND_MS = 400
/** A guard against a subject that something answers in a loop. */
const MEMBERS_MAX = 1000
/** Of a member's introduction: some hundred models. What is larger is no introduction. */
const MEMBER_BYTES_MAX = 64 * 1024

/** How NATS says that nobody listens on a subject. */
const isNobody = (message: Msg): boolean => message.data.byteLength === 0 && message.headers?.code === 503

/** Asks the model workers of a workspace. */
export function createNatsModelGroup(connection: NatsConnection, workspace: WorkspaceId): ModelGroup {
  const bytesMax = () => connection.info?.max_payload ?? 0
  const publish = (subject: string, bytes: Uint8Array, reply?: string): void => {
    if (!connection.isClosed()) connection.publish(subject, bytes, reply === undefined ? {} : { reply })
  }

  return {
    async find() {
      if (connection.isClosed()) return []
      const found = new Map<string, ModelMember>()
      const nobody = new AbortController()
      const inbox = createInbox(MODEL_ANSWER_INBOX)
      const subscription = connection.subscribe(inbox, {
        callback: (error, message) => {
          if (error !== null) return
          if (isNobody(message)) return nobody.abort()
          if (message.data.byteLength > MEMBER_BYTES_MAX) return
          const member = read(ModelMember, message.data)
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
      const inbox = createInbox(MODEL_ANSWER_INBOX)
      const subscription = connection.subscribe(inbox, {
        callback: (error, message) => {
          if (error !== null) return
          if (isNobody(message)) return onAnswer(null)
          const answer = read(ModelAnswer, message.data)
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

/** Null for what cannot be read: the sender falls silent for us, and the call goes elsewhere. */
function read<Schema extends typeof ModelAnswer | typeof ModelMember>(schema: Schema, bytes: Uint8Array) {
  try {
    return decodeMessage('what a model worker says', schema, bytes)
  } catch {
    return null
  }
}
