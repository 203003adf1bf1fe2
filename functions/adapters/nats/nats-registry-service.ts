import type { Msg } from '@nats-io/nats-core'
import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { WorkspaceId } from '#shared/ids.ts'
import { encodeMessage, type MaybeRefused } from '#shared/protocol/envelope.ts'
import { MESSAGE_BYTES_MAX } from '#shared/protocol/limits.ts'
import { CERTIFICATE_HEADER, type Machine, NONCE_HEADER, SIGNATURE_HEADER } from '#shared/protocol/signature.ts'
import { type RegistryOperation, registryOperations, registrySubject, WIRE_VERSION } from '#shared/protocol/subjects.ts'
import { sha256Hex } from '../../crypto.ts'
import type { AskedQuestion, QuestionGate } from '../../jobs/question-gate.ts'
import type { RegistryService } from '../../jobs/registry-service.ts'
import type { Log } from '../../ports/log.ts'
import type { Signer } from '../../ports/signer.ts'
import type { NatsLink } from './nats-link.ts'
import { signedHeaders } from './signed-headers.ts'

/** Any number of edge processes share the questions. */
const QUEUE = 'registry'

export interface ServedRegistry {
  readonly service: RegistryService
  /** Judges each question before it is read. */
  readonly gate: QuestionGate
  readonly signer: Signer
  readonly log: Log
}

/**
 * Answers workers' questions to the registry for as long as the link lives. Each answer is signed for the one question that it
 * is to: a worker acts on what it says. What the gate refuses is answered with the refusal.
 */
export function serveRegistry(link: NatsLink, { service, gate, signer, log }: ServedRegistry): void {
  link.onConnection((connection) => {
    for (const operation of registryOperations) {
      connection.subscribe(registrySubject('*', operation), {
        queue: QUEUE,
        callback: (error, message) => {
          if (error !== null) {
            log.error('Cannot serve the registry', error, { operation })
            return
          }
          answer(operation, message).then(
            ({ reply, headers }) => message.respond(reply, { headers }),
            (cause: unknown) => log.error('Cannot answer a worker', cause, { operation }),
          )
        },
      })
    }
  })

  async function answer(operation: RegistryOperation, { subject, data, headers: asked }: Msg) {
    const workspace = v.parse(WorkspaceId, subject.split('.')[1])
    const nonce = asked?.get(NONCE_HEADER)
    const reply = await judged({
      workspace,
      operation,
      subject,
      body: data,
      nonce,
      signature: asked?.get(SIGNATURE_HEADER),
      certificate: asked?.get(CERTIFICATE_HEADER),
    })
    const question = `${nonce ?? ''} ${await sha256Hex(data)}`
    return { reply, headers: await signedHeaders(signer, { purpose: 'answer', subject, body: reply, question }) }
  }

  /** The registry's answer, or the gate's refusal. */
  async function judged(question: AskedQuestion): Promise<Uint8Array> {
    let machine: Machine
    try {
      machine = await gate(question)
    } catch (error) {
      // Who cannot be judged now is not answered, and asks again.
      if (!(error instanceof AppError) || error.code === 'unavailable') throw error
      const refusal: MaybeRefused = { v: WIRE_VERSION, refused: error.toWire() }
      return encodeMessage('the refusal', refusal, MESSAGE_BYTES_MAX)
    }
    return service(question.workspace, question.operation, question.body, machine.publicKey)
  }
}
