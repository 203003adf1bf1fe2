import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsConnection } from '@nats-io/nats-core'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { ADMIN_INBOX } from '#scripts/nats-config.ts'
import { connectNats } from '#scripts/nats-connect.ts'
import { type NatsServer, startNatsServer } from '#scripts/nats-server.ts'
import { ensureStreams } from '#scripts/nats-streams.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { WORKER_INBOX } from '#shared/protocol/subjects.ts'

/** A NATS server with both listeners, and connections to it that do not come back when it goes. */
export interface NatsWorld {
  server(): NatsServer
  readonly worker: NatsConnection
  readonly admin: NatsConnection
  stopNats(): Promise<void>
  /** Where it was. */
  startNats(): Promise<void>
  close(): Promise<void>
}

export async function startNatsWorld(workspaces: readonly WorkspaceId[]): Promise<NatsWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-nats-world-'))
  const options = { binary: await findNatsServer(), dataFolder: join(folder, 'nats') }
  let server = await startNatsServer({ ...options, webSocketPort: 0 })
  await ensureStreams(server.url('admin'), workspaces)
  const worker = await connectNats(server.url('worker'), { name: 'worker', inboxPrefix: WORKER_INBOX })
  const admin = await connectNats(server.url('admin'), { name: 'admin', inboxPrefix: ADMIN_INBOX })
  return {
    server: () => server,
    worker,
    admin,
    stopNats: () => server.stop(),
    async startNats() {
      const { port, webSocketPort } = server
      server = await startNatsServer({ ...options, port, ...(webSocketPort === undefined ? {} : { webSocketPort }) })
    },
    async close() {
      await Promise.all([worker.close(), admin.close()])
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
