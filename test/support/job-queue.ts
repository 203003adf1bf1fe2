import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import * as v from 'valibot'
import { ADMIN_INBOX } from '#scripts/nats-config.ts'
import { connectNats } from '#scripts/nats-connect.ts'
import type { Stack } from '#scripts/stack.ts'
import { JOBS_STREAM, jobsConsumer } from '#shared/protocol/subjects.ts'

const Passwords = v.pipe(v.string(), v.parseJson(), v.object({ admin: v.string() }))
const Ports = v.pipe(v.string(), v.parseJson(), v.object({ nats: v.tuple([v.pipe(v.string(), v.url())]) }))

/** Messages of a stack's work queue that nobody has confirmed, delivered or not. */
export async function countQueued({ dataFolder, workspace, pids }: Stack): Promise<number> {
  const folder = join(dataFolder, 'nats')
  // A killed server leaves the file that says where it was.
  const file = readdirSync(folder).find((name) => name.endsWith(`_${pids().nats}.ports`))
  if (file === undefined) throw new Error('Cannot find NATS: it has written no ports file')
  const { nats } = v.parse(Ports, readFileSync(join(folder, file), 'utf8'))
  const { admin } = v.parse(Passwords, readFileSync(join(folder, 'passwords.json'), 'utf8'))
  const url = `nats://admin:${encodeURIComponent(admin)}@${new URL(nats[0]).host}`
  const connection = await connectNats(url, { name: 'test', inboxPrefix: ADMIN_INBOX })
  try {
    const manager = await jetstreamManager(connection)
    const { num_pending, num_ack_pending } = await manager.consumers.info(JOBS_STREAM, jobsConsumer(workspace))
    return num_pending + num_ack_pending
  } finally {
    await connection.close()
  }
}
