import type { NatsConnection } from '@nats-io/transport-node'
import * as v from 'valibot'
import { JobId, type WorkspaceId } from '#shared/ids.ts'
import { cancelSubject, eventsSubject, jobSubject } from '#shared/protocol/subjects.ts'
import type { Events } from '../ports/events.ts'

export function createNatsEvents(connection: NatsConnection, workspace: WorkspaceId): Events {
  // A publish fails only on a closed connection; events are best effort and the daemon is stopping then.
  const publish = (subject: string, event: unknown) => {
    if (!connection.isClosed()) connection.publish(subject, JSON.stringify(event))
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
          if (error === null && id.success) onCancel(id.output)
        },
      })
    },
  }
}
