import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import * as v from 'valibot'
import { createSigner } from '#functions/adapters/ed25519-signer.ts'
import { signedHeaders } from '#functions/adapters/nats/signed-headers.ts'
import { connectNats } from '#functions/adapters/node/nats-connect.ts'
import { readOrCreateSigningKeys } from '#functions/adapters/node/signing-key-file.ts'
import { parseConfig } from '#functions/config.ts'
import { CALL_TIMEOUT_MS } from '#shared/protocol/limits.ts'
import { callSubject, WIRE_VERSION } from '#shared/protocol/subjects.ts'

// What the edge is measured against, in a process of its own as the edge is: a Hono route that makes the same NATS
// round trip to the same worker, and does nothing else. No authentication, no checks, no protocol.

const config = parseConfig(process.env)
const nats = await connectNats(config.nats)
const signer = await createSigner(readOrCreateSigningKeys(join(config.dataFolder, 'signing-key'))[0])
const subject = callSubject(config.workspace, 'files')
const Body = v.object({ params: v.object({ name: v.string(), arguments: v.record(v.string(), v.unknown()) }) })

const app = new Hono()
app.post('/', async (context) => {
  const { params } = v.parse(Body, await context.req.json())
  const envelope = {
    v: WIRE_VERSION,
    id: crypto.randomUUID(),
    workspace: config.workspace,
    caller: { subject: 'owner' },
    tool: params.name,
    args: params.arguments,
    agent: null,
    deadline: Date.now() + CALL_TIMEOUT_MS,
  }
  const question = new TextEncoder().encode(JSON.stringify(envelope))
  // Part of the round trip: the worker takes no call without it.
  const headers = await signedHeaders(signer, { purpose: 'call', subject, body: question })
  const reply = await nats.request(subject, question, { timeout: CALL_TIMEOUT_MS, headers })
  return context.json(reply.json<Record<string, unknown>>())
})

const server = serve({ fetch: app.fetch, hostname: config.host, port: config.port }, () => {
  process.send?.({ type: 'ready' })
})
const stop = () => {
  server.close()
  void nats.close().then(() => process.exit(0))
}
process.once('SIGTERM', stop)
process.once('disconnect', stop)
