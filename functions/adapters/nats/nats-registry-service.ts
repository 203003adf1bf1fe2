import type { Msg } from '@nats-io/nats-core'
import * as v from 'valibot'
import { WorkspaceId } from '#shared/ids.ts'
import { NONCE_HEADER } from '#shared/protocol/signature.ts'
import { type RegistryOperation, registryOperations, registrySubject } from '#shared/protocol/subjects.ts'
import { sha256Hex } from '../../crypto.ts'
import type { RegistryService } from '../../jobs/registry-service.ts'
import type { Log } from '../../ports/log.ts'
import type { Signer } from '../../ports/signer.ts'
import type { NatsLink } from './nats-link.ts'
import { signedHeaders } from './signed-headers.ts'

/** Any number of edge processes share the questions. */
const QUEUE = 'registry'

/**
 * Answers workers' questions to the registry for as long as the link lives. Each answer is signed for the one question that it
 * is to: a worker acts on what it says.
 */
export function serveRegistry(link: NatsLink, service: RegistryService, signer: Signer, log: Log): void {
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
    const reply = await service(v.parse(WorkspaceId, subject.split('.')[1]), operation, data)
    const question = `${asked?.get(NONCE_HEADER) ?? ''} ${await sha256Hex(data)}`
    return { reply, headers: await signedHeaders(signer, { purpose: 'answer', subject, body: reply, question }) }
  }
}
