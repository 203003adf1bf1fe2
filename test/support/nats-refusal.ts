import type { NatsConnection } from '@nats-io/nats-core'

/** What the NATS server says about the connection's next forbidden act. */
export async function refusal(connection: NatsConnection, act: () => void): Promise<string> {
  const statuses = connection.status()
  act()
  await connection.flush()
  for await (const status of statuses) if (status.type === 'error') return status.error.message
  throw new Error('The connection ended without a word')
}
