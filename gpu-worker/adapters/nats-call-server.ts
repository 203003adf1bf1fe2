import { type Service, type ServiceMsg, Svcm } from '@nats-io/services'
import { type NatsConnection, RequestError, TimeoutError } from '@nats-io/transport-node'
import { AppError } from '#shared/errors.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { SIGNATURE_HEADER } from '#shared/protocol/signature.ts'
import { callFamilies, callSubject } from '#shared/protocol/subjects.ts'
import type { CallServer } from '../ports/call-server.ts'
import type { EdgeTrust } from './ed25519.ts'

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
export function createNatsCallServer(
  connection: NatsConnection,
  workspace: WorkspaceId,
  version: string,
  trust: EdgeTrust,
): CallServer {
  let service: Service | undefined
  const underWay = new Set<Promise<void>>()
  const startedAt = Date.now()

  /** Null where the message is the edge's. One of before our start may have been served by the worker before us. */
  function refusalOf({ subject, data, headers }: ServiceMsg): AppError | null {
    try {
      const statement = { purpose: 'call', subject, body: data } as const
      const { timeMs } = trust.verify('the call', statement, headers?.get(SIGNATURE_HEADER))
      if (timeMs >= startedAt) return null
      return new AppError('timeout', 'Cannot take the call: it was made before this worker started', {
        hint: "Try again; if it is so for minutes, set the clocks of the edge and of the worker's machine right",
      })
    } catch (error) {
      if (error instanceof AppError) return error
      throw error
    }
  }

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
            const work = handler(family, message.data, refusalOf(message)).then((reply) => {
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
