import * as v from 'valibot'
import { WorkspaceId } from '#shared/ids.ts'
import { type RegistryOperation, registryOperations, registrySubject } from '#shared/protocol/subjects.ts'
import type { RegistryService } from '../../jobs/registry-service.ts'
import type { Log } from '../../ports/log.ts'
import type { NatsLink } from './nats-link.ts'

/** Any number of edge processes share the questions. */
const QUEUE = 'registry'

/** Answers workers' questions to the registry for as long as the link lives. */
export function serveRegistry(link: NatsLink, service: RegistryService, log: Log): void {
  link.onConnection((connection) => {
    for (const operation of registryOperations) {
      connection.subscribe(registrySubject('*', operation), {
        queue: QUEUE,
        callback: (error, message) => {
          if (error !== null) {
            log.error('Cannot serve the registry', error, { operation })
            return
          }
          answer(operation, message.subject, message.data).then(
            (reply) => message.respond(reply),
            (cause: unknown) => log.error('Cannot answer a worker', cause, { operation }),
          )
        },
      })
    }
  })

  async function answer(operation: RegistryOperation, subject: string, question: Uint8Array): Promise<Uint8Array> {
    return service(v.parse(WorkspaceId, subject.split('.')[1]), operation, question)
  }
}
