import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream'
import { nanos } from '@nats-io/nats-core'
import type { WorkspaceId } from '#shared/ids.ts'
import { JOB_ACK_WAIT_MS, JOBS_QUEUED_MAX } from '#shared/protocol/limits.ts'
import { JOBS_STREAM, jobsConsumer, jobsSubject } from '#shared/protocol/subjects.ts'
import { ADMIN_INBOX } from './nats-config.ts'
import { connectNats } from './nats-connect.ts'

const STREAM_NOT_FOUND = 10059
const CONSUMER_EXISTS = 10148

/** All that a queue can hold: jobs that wait for an earlier one of their agent count, and must not stop those of others. */
const JOBS_UNCONFIRMED_MAX = JOBS_QUEUED_MAX

/**
 * Makes the work queue and a durable consumer for each workspace, or brings existing ones to these settings. Safe to
 * repeat; messages that wait stay. Rejects where the server cannot be reached or refuses.
 */
export async function ensureStreams(
  adminUrl: string,
  workspaces: readonly WorkspaceId[],
  authorityFile?: string,
): Promise<void> {
  const connection = await connectNats(adminUrl, { name: 'millwright-admin', inboxPrefix: ADMIN_INBOX, authorityFile })
  try {
    const manager = await jetstreamManager(connection)
    await ensureJobsStream(manager)
    for (const workspace of workspaces) await ensureConsumer(manager, workspace)
  } finally {
    await connection.close()
  }
}

async function ensureConsumer({ consumers }: JetStreamManager, workspace: WorkspaceId): Promise<void> {
  const settings = {
    filter_subject: jobsSubject(workspace),
    ack_wait: nanos(JOB_ACK_WAIT_MS),
    // Without a bound: a message past `max_deliver` would stay in a work queue for ever and count against its
    // limit. The worker asks the registry before it runs a job, and drops the message of one that has ended.
    max_deliver: -1,
    max_ack_pending: JOBS_UNCONFIRMED_MAX,
  }
  try {
    await consumers.add(JOBS_STREAM, {
      durable_name: jobsConsumer(workspace),
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
      ...settings,
    })
  } catch (error) {
    // There with other settings: an earlier version's.
    if (!(error instanceof JetStreamApiError) || error.code !== CONSUMER_EXISTS) throw error
    await consumers.update(JOBS_STREAM, jobsConsumer(workspace), settings)
  }
}

async function ensureJobsStream(manager: JetStreamManager): Promise<void> {
  const settings = {
    subjects: [jobsSubject('*')],
    // A full queue refuses new jobs (error 10077) instead of dropping old ones, and one workspace cannot fill another's.
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs_per_subject: JOBS_QUEUED_MAX,
  }
  try {
    await manager.streams.info(JOBS_STREAM)
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) throw error
    await manager.streams.add({
      name: JOBS_STREAM,
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      ...settings,
    })
    return
  }
  await manager.streams.update(JOBS_STREAM, settings)
}
