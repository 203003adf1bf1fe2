import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { claimPort } from '#scripts/free-port.ts'
import { findNatsServer } from '#scripts/nats-binary.ts'

const Connections = v.object({
  connections: v.array(
    v.object({ name: v.optional(v.string(), ''), subscriptions: v.number(), pending_bytes: v.number() }),
  ),
})
const Jobs = v.object({
  account_details: v.array(
    v.object({
      stream_detail: v.array(
        v.object({
          state: v.object({ messages: v.number() }),
          consumer_detail: v.array(v.object({ num_ack_pending: v.number(), num_pending: v.number() })),
        }),
      ),
    }),
  ),
})

/** What the NATS server itself counts. */
export interface NatsCounts {
  /** By the name of the connection, which is unique here: its subscriptions. */
  readonly subscriptions: Readonly<Record<string, number>>
  /** Not read by the client yet. */
  readonly pendingBytes: number
  /** Jobs in the queue, and those of them that a worker has taken. */
  readonly queued: number
  readonly taken: number
}

/**
 * Lets a stack that `start` starts run a nats-server that tells what it counts, which ours never does: it would tell anyone
 * on the machine who is connected. `folder` holds the program that starts it so.
 */
export async function withNatsMonitor<Started>(
  folder: string,
  start: () => Promise<Started>,
): Promise<{ started: Started; readCounts: () => Promise<NatsCounts> }> {
  const port = await claimPort(0)
  const program = join(folder, 'nats-server')
  writeFileSync(program, `#!/bin/sh\nexec '${await findNatsServer()}' "$@" --http_port ${port}\n`)
  chmodSync(program, 0o700)
  const before = process.env.MILLWRIGHT_NATS_SERVER
  process.env.MILLWRIGHT_NATS_SERVER = program
  try {
    const started = await start()
    return { started, readCounts: () => readCounts(`http://127.0.0.1:${port}`) }
  } finally {
    if (before === undefined) delete process.env.MILLWRIGHT_NATS_SERVER
    else process.env.MILLWRIGHT_NATS_SERVER = before
  }
}

async function readCounts(url: string): Promise<NatsCounts> {
  const read = async (path: string): Promise<unknown> => (await fetch(url + path)).json()
  const { connections } = v.parse(Connections, await read('/connz'))
  const { account_details } = v.parse(Jobs, await read('/jsz?streams=true&consumers=true'))
  const streams = account_details.flatMap((account) => account.stream_detail)
  const consumers = streams.flatMap((stream) => stream.consumer_detail)
  return {
    subscriptions: Object.fromEntries(connections.map(({ name, subscriptions }) => [name, subscriptions])),
    pendingBytes: sum(connections.map((connection) => connection.pending_bytes)),
    queued: sum(streams.map((stream) => stream.state.messages)),
    taken: sum(consumers.map((consumer) => consumer.num_ack_pending)),
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
