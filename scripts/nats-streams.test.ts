import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AckPolicy, DeliverPolicy, jetstreamManager } from '@nats-io/jetstream'
import { nanos } from '@nats-io/nats-core'
import { expect, it } from 'vitest'
import { toWorkspaceId } from '#shared/ids.ts'
import { JOB_ACK_WAIT_MS, JOBS_QUEUED_MAX } from '#shared/protocol/limits.ts'
import { JOBS_STREAM, jobsConsumer, jobsSubject } from '#shared/protocol/subjects.ts'
import { findNatsServer } from './nats-binary.ts'
import { ADMIN_INBOX } from './nats-config.ts'
import { connectNats } from './nats-connect.ts'
import { startNatsServer } from './nats-server.ts'
import { ensureStreams } from './nats-streams.ts'

it('brings the consumer of an earlier version to these settings', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-streams-'))
  const nats = await startNatsServer({ binary: await findNatsServer(), dataFolder: join(folder, 'nats') })
  const workspace = toWorkspaceId('earlier')
  const name = jobsConsumer(workspace)
  const admin = await connectNats(nats.url('admin'), { name: 'admin', inboxPrefix: ADMIN_INBOX })
  try {
    await ensureStreams(nats.url('admin'), [workspace])
    const { consumers } = await jetstreamManager(admin)
    await consumers.delete(JOBS_STREAM, name)
    await consumers.add(JOBS_STREAM, {
      durable_name: name,
      filter_subject: jobsSubject(workspace),
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(JOB_ACK_WAIT_MS),
      max_deliver: -1,
      max_ack_pending: 64,
    })
    await ensureStreams(nats.url('admin'), [workspace])
    expect((await consumers.info(JOBS_STREAM, name)).config).toMatchObject({ max_ack_pending: JOBS_QUEUED_MAX })
  } finally {
    await admin.close()
    await nats.stop()
    rmSync(folder, { recursive: true })
  }
})
