import type { Msg, NatsConnection } from '@nats-io/transport-node'
import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { JobId, type WorkspaceId } from '#shared/ids.ts'
import { SIGNATURE_HEADER } from '#shared/protocol/signature.ts'
import { cancelSubject, eventsSubject, jobSubject } from '#shared/protocol/subjects.ts'
import type { Events } from '../ports/events.ts'
import type { EdgeTrust } from './ed25519.ts'

export function createNatsEvents(connection: NatsConnection, workspace: WorkspaceId, trust: EdgeTrust): Events {
  // A publish fails only on a closed connection; events are best effort and the daemon is stopping then.
  const publish = (subject: string, event: unknown) => {
    if (!connection.isClosed()) connection.publish(subject, JSON.stringify(event))
  }
  /** A cancel of anybody else is not heard; a true one that is lost is found in the registry. */
  function isOfEdge({ subject, data, headers }: Msg): boolean {
    try {
      trust.verify('a cancel', { purpose: 'cancel', subject, body: data }, headers?.get(SIGNATURE_HEADER))
      return true
    } catch (error) {
      if (error instanceof AppError) return false
      throw error
    }
  }

  return {
    job: (event) => publish(jobSubject(workspace, v.parse(JobId, event.job_id)), event),
    workspace: (event) => publish(eventsSubject(workspace), event),
    onGap(onGap) {
      const watch = async (): Promise<void> => {
        for await (const status of connection.status()) if (status.type === 'reconnect') onGap()
      }
      void watch()
    },
    onCancel(onCancel) {
      connection.subscribe(cancelSubject(workspace, '*'), {
        callback: (error, message) => {
          const id = v.safeParse(JobId, message.subject.split('.').at(-1))
          if (error === null && id.success && isOfEdge(message)) onCancel(id.output)
        },
      })
    },
  }
}
