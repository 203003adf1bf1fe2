import { DurableObject } from 'cloudflare:workers'
import type { NatsConnection } from '@nats-io/nats-core'
import { Hono } from 'hono'
import * as v from 'valibot'
import { lazySigner } from '#functions/adapters/ed25519-signer.ts'
import { signedHeaders } from '#functions/adapters/nats/signed-headers.ts'
import { connectNatsWebSocket } from '#functions/adapters/workerd/nats-websocket.ts'
import type { ObjectNamespace } from '#functions/adapters/workerd/runtime.ts'
import type { Signer } from '#functions/ports/signer.ts'
import { parseWorkerdConfig } from '#functions/workerd-config.ts'
import { CALL_TIMEOUT_MS } from '#shared/protocol/limits.ts'
import { callSubject, WIRE_VERSION } from '#shared/protocol/subjects.ts'

// The bare route of workerd: a Hono route that makes the same NATS round trip to the same worker, through an object that
// holds the connection, and does nothing else. No authentication, no checks, no protocol.

interface Environment {
  readonly LINK: ObjectNamespace<{ request(subject: string, question: string): Promise<string> }>
  readonly NATS_URL: string
  readonly MILLWRIGHT_WORKSPACE: string
  readonly MILLWRIGHT_TOKEN: string
  readonly MILLWRIGHT_SIGNING_KEY: string
  readonly MILLWRIGHT_HOSTNAMES: string
}

export class BareLink extends DurableObject<Environment> {
  #connection: Promise<NatsConnection> | undefined
  #signer: Signer | undefined

  async request(subject: string, question: string): Promise<string> {
    const { nats, signingKeys } = parseWorkerdConfig(this.env)
    this.#connection ??= connectNatsWebSocket(nats)
    this.#signer ??= lazySigner(signingKeys[0])
    const body = new TextEncoder().encode(question)
    // Part of the round trip: the worker takes no call without it.
    const headers = await signedHeaders(this.#signer, { purpose: 'call', subject, body })
    return (await (await this.#connection).request(subject, body, { timeout: CALL_TIMEOUT_MS, headers })).string()
  }
}

const Body = v.object({ params: v.object({ name: v.string(), arguments: v.record(v.string(), v.unknown()) }) })
const app = new Hono<{ Bindings: Environment }>()
app.post('/', async ({ req, env, json }) => {
  const { params } = v.parse(Body, await req.json())
  const { workspace } = parseWorkerdConfig(env)
  const envelope = {
    v: WIRE_VERSION,
    id: crypto.randomUUID(),
    workspace,
    caller: { subject: 'owner' },
    tool: params.name,
    args: params.arguments,
    agent: null,
    deadline: Date.now() + CALL_TIMEOUT_MS,
  }
  const link = env.LINK.get(env.LINK.idFromName('bare'))
  return json(JSON.parse(await link.request(callSubject(workspace, 'files'), JSON.stringify(envelope))))
})

export default app
