import { type Service, Svcm } from '@nats-io/services'
import { type NatsConnection, RequestError, TimeoutError } from '@nats-io/transport-node'
import type { WorkspaceId } from '#shared/ids.ts'
import { callFamilies, callSubject } from '#shared/protocol/subjects.ts'
import type { CallServer } from '../ports/call-server.ts'

const PING_MS = 2000
const serviceName = (workspace: WorkspaceId): string => `millwright-repository-${workspace}`

/** Whether a worker answers for this workspace already. One that is connected but too busy to answer counts. */
export async function isServed(connection: NatsConnection, workspace: WorkspaceId): Promise<boolean> {
  try {
    await connection.request(`$SRV.PING.${serviceName(workspace)}`, '', { timeout: PING_MS })
    return true
  } catch (error) {
    if (error instanceof RequestError && error.isNoResponders()) return false
    if (error instanceof TimeoutError) return true
    throw error
  }
}

/** Serves a workspace's calls as a NATS service, so that `nats micro` and our own tools can find and count it. */
export function createNatsCallServer(connection: NatsConnection, workspace: WorkspaceId, version: string): CallServer {
  let service: Service | undefined
  const underWay = new Set<Promise<void>>()
  return {
    replyBytesMax: connection.info?.max_payload ?? 1024 * 1024,
    async serve(handler) {
      service = await new Svcm(connection).add({
        name: serviceName(workspace),
        version,
        queue: `repository-${workspace}`,
        description: 'Files, git and checks of one repository',
      })
      for (const family of callFamilies) {
        service.addEndpoint(family, {
          subject: callSubject(workspace, family),
          handler: (error, message) => {
            if (error !== null) return
            const work = handler(family, message.data).then((reply) => {
              message.respond(reply)
            })
            underWay.add(work)
            void work.finally(() => underWay.delete(work))
          },
        })
      }
      await connection.flush()
    },
    async stop() {
      await service?.stop()
      await Promise.allSettled(underWay)
      await connection.flush().catch(() => undefined)
    },
  }
}
