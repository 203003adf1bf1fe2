import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { Miniflare } from 'miniflare'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { readOrCreateSigningKeys } from '#functions/adapters/node/signing-key-file.ts'
import { STALE_MS } from '#functions/jobs/sweep.ts'
import type { RegistryStore } from '#functions/ports/registry.ts'
import { readWorkerdBundle } from '#scripts/workerd-bundle.ts'
import { AgentId, createJobId, type JobId, toWorkspaceId } from '#shared/ids.ts'
import { CallEnvelope, decodeMessage, FindOwnersReply } from '#shared/protocol/envelope.ts'
import { callSubject, JOBS_STREAM, jobsConsumer } from '#shared/protocol/subjects.ts'
import { sendQuestion, signQuestion } from '#test/support/ask-registry.ts'
import { machineOf } from '#test/support/edge-key.ts'
import { type NatsWorld, startNatsWorld } from '#test/support/nats-world.ts'
import { silenceWorkerd } from '#test/support/silence-workerd.ts'
import { registryOf, startWorkerdPorts, type WorkerdPorts } from '#test/support/workerd-ports/ports-client.ts'

// What the objects do by themselves. The registry's clock is the test's; the alarms are the runtime's.

const here = toWorkspaceId('here')
const agent = v.parse(AgentId, 'a1')
let nats: NatsWorld
let ports: WorkerdPorts
beforeAll(async () => {
  nats = await startNatsWorld([here])
  nats.worker.subscribe(callSubject(here, 'system'), {
    callback: (_error, message) => {
      const { id } = decodeMessage('a call', CallEnvelope, message.data)
      message.respond(JSON.stringify({ v: 1, id, ok: true, result: {} }))
    },
  })
  await nats.worker.flush()
  ports = await startWorkerdPorts(nats.server().webSocketUrl('edge'))
})
afterAll(async () => {
  await ports?.close()
  await nats?.close()
})

const waiting = async () =>
  (await (await jetstreamManager(nats.admin)).consumers.info(JOBS_STREAM, jobsConsumer(here))).num_pending

async function startWorld(world: string) {
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  const registry: RegistryStore = registryOf(ports, world, clock)
  await registry.createAgent(here, {
    agent_id: agent,
    name: 'n',
    managed_file: 'a.py',
    file_key: 'a.py',
    system_prompt: '',
    model: null,
    description: null,
  })
  const ask = (method: 'alarmAt' | 'fireAlarm') => ports.ask({ port: 'object', world, method })
  return {
    clock,
    registry,
    alarmAt: async () => (await ask('alarmAt')) as number | null,
    fireAlarm: () => ask('fireAlarm'),
    /** A row without a message: what a crash between the two leaves. */
    async loseJob(): Promise<JobId> {
      const { record } = await registry.createJob(here, {
        job_id: createJobId(clock.nowMs),
        tool: 'chat_with_agent',
        agent_id: agent,
        caller: { subject: 'owner' },
        args: { message: 'x' },
        params_hash: 'h',
        idempotency_key: null,
        call_key: null,
        accepts: null,
        deadline: clock.nowMs + 10 * STALE_MS,
      })
      return record.job.job_id
    },
  }
}

describe("the registry's alarm", () => {
  it('publishes a lost job again, and fails one that nobody came back with', async () => {
    const { clock, registry, fireAlarm, loseJob } = await startWorld('swept')
    const job = await loseJob()
    const before = await waiting()
    await fireAlarm()
    expect(await waiting()).toBe(before)
    clock.nowMs += STALE_MS + 1
    await registry.ping()
    await registry.countJobs(here)
    await fireAlarm()
    expect(await waiting()).toBe(before + 1)
    await fireAlarm()
    expect(await waiting()).toBe(before + 1)

    clock.nowMs += 20 * STALE_MS
    await registry.countJobs(here)
    await fireAlarm()
    expect((await registry.getJob(here, job)).job).toMatchObject({ state: 'failed', error: { code: 'timeout' } })
  })

  it('is set while jobs are under way, goes off by itself, and rests with the last of them', async () => {
    const { clock, registry, alarmAt, loseJob } = await startWorld('alarmed')
    expect(await alarmAt()).toBeNull()
    const job = await loseJob()
    expect(await alarmAt()).toBeGreaterThan(Date.now())
    const before = await waiting()
    clock.nowMs += STALE_MS + 1
    await registry.countJobs(here)
    await expect.poll(waiting, { timeout: 20_000, interval: 200 }).toBe(before + 1)
    expect(await alarmAt()).toBeGreaterThan(Date.now())
    await registry.cancelJob(here, job)
    await expect.poll(alarmAt, { timeout: 20_000, interval: 200 }).toBeNull()
  }, 60_000)
})

describe('the connection to NATS', () => {
  it('comes back after a restart without anybody calling, and answers a worker', async () => {
    const storage = mkdtempSync(join(tmpdir(), 'millwright-link-'))
    const bundle = readWorkerdBundle(inject('edgeBundle'))
    const elsewhere = toWorkspaceId('elsewhere')
    const [signingKey] = readOrCreateSigningKeys(join(storage, 'signing-key'))
    const machine = await machineOf(storage, elsewhere)
    const start = () =>
      new Miniflare({
        ...bundle,
        bindings: {
          ...bundle.bindings,
          NATS_URL: nats.server().webSocketUrl('edge'),
          MILLWRIGHT_TOKEN: 'x'.repeat(43),
          MILLWRIGHT_SIGNING_KEY: signingKey,
          MILLWRIGHT_WORKSPACE: elsewhere,
        },
        durableObjectsPersist: storage,
        cf: false,
        handleRuntimeStdio: silenceWorkerd,
      })
    const ask = async () => {
      const question = signQuestion(machine, elsewhere, 'find_owners', { file_keys: ['a.py'] })
      const reply = await sendQuestion(nats.worker, question).catch(() => null)
      return reply === null ? null : decodeMessage('a reply', FindOwnersReply, reply.data).owners
    }
    let edge = start()
    try {
      // The suite's own program would answer as well: they share the questions.
      await ports.close()
      expect(await ask()).toBeNull()
      expect((await fetch(new URL('/healthz', await edge.ready))).status).toBe(200)
      expect(await ask()).toEqual({})
      await edge.dispose()
      expect(await ask()).toBeNull()
      edge = start()
      await edge.ready
      await expect.poll(ask, { timeout: 60_000, interval: 500 }).toEqual({})
    } finally {
      await edge.dispose()
      rmSync(storage, { recursive: true, force: true })
    }
  }, 90_000)
})
