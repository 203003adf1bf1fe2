import { afterAll } from 'vitest'
import { createNatsJobBus } from '#functions/adapters/nats/nats-job-bus.ts'
import { createNatsLink } from '#functions/adapters/nats/nats-link.ts'
import { createNatsWorkerCalls } from '#functions/adapters/nats/nats-worker-calls.ts'
import { connectNats } from '#functions/adapters/node/nats-connect.ts'
import { testSigner } from '#test/support/edge-key.ts'
import { startNatsWorld } from '#test/support/nats-world.ts'
import { describeJobBus, jobBusWorkspaces } from './job-bus.ts'
import { describeWorkerCalls } from './worker-calls.ts'

// The adapters over a real NATS server, as Node uses them. Those of workerd: test/workerd/contracts.test.ts.

const log = { info: () => undefined, error: () => undefined }
const closes: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closes.reverse()) await close()
})

async function startLink() {
  const world = await startNatsWorld(jobBusWorkspaces)
  const { host, username, password } = new URL(world.server().url('edge'))
  const link = createNatsLink(
    () => connectNats({ server: `nats://${host}`, user: username, password: decodeURIComponent(password) }),
    log,
  )
  closes.push(world.close, link.close)
  await new Promise<void>((resolve) => link.onConnection(() => resolve()))
  return { world, link }
}

describeJobBus('NATS', async () => {
  const { world, link } = await startLink()
  return { ...world, bus: createNatsJobBus(link, testSigner) }
})

describeWorkerCalls('NATS', async () => {
  const { world, link } = await startLink()
  const calls = createNatsWorkerCalls(link, testSigner)
  return {
    ...world,
    call: (family, envelope, timeoutMs, abortAfterMs) => {
      const signal = abortAfterMs === null ? undefined : AbortSignal.timeout(abortAfterMs)
      return calls.call(family, envelope, timeoutMs, signal)
    },
  }
})
