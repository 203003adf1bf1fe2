import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CallReply } from '#shared/protocol/envelope.ts'
import { describeAccounts } from '#test/contract/accounts.ts'
import { describeJobAgents } from '#test/contract/job-agents.ts'
import { describeJobBus, jobBusWorkspaces } from '#test/contract/job-bus.ts'
import { describeRegistry, type SqlAccess } from '#test/contract/registry.ts'
import { describeSql } from '#test/contract/sql.ts'
import { describeWorkerCalls } from '#test/contract/worker-calls.ts'
import { startNatsWorld } from '#test/support/nats-world.ts'
import {
  accountsOf,
  busOf,
  registryOf,
  startWorkerdPorts,
  transact,
  type WorkerdPorts,
} from '#test/support/workerd-ports/ports-client.ts'
import type { SqlStatement } from '#test/support/workerd-ports/sql-transaction.ts'

// The contracts of the ports, kept by the adapters of workerd, in workerd.

const closes: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closes.reverse()) await close()
})

/** Nobody listens there: what needs no bus must work without it. */
const NO_NATS = 'ws://edge:x@127.0.0.1:9'
let ports: WorkerdPorts
let worlds = 0
beforeAll(async () => {
  ports = await startWorkerdPorts(NO_NATS)
  closes.push(ports.close)
})

function createRegistry() {
  worlds++
  const world = `world-${worlds}`
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  const one = async (statement: SqlStatement) => {
    const outcome = await transact(ports, world, [statement])
    if (outcome.kind !== 'done') throw new Error(outcome.message)
    return outcome.results[0]
  }
  const sql: SqlAccess = {
    all: async (text, ...values) => (await one({ kind: 'all', text, values })) as Awaited<ReturnType<SqlAccess['all']>>,
    run: async (text, ...values) => Number(await one({ kind: 'run', text, values })),
  }
  const ask = (method: 'reports' | 'alarmAt' | 'fireAlarm') => ports.ask({ port: 'object', world, method })
  return {
    registry: registryOf(ports, world, clock),
    sql,
    clock,
    reports: async () => (await ask('reports')) as string[],
    alarmAt: async () => (await ask('alarmAt')) as number | null,
    fireAlarm: async () => void (await ask('fireAlarm')),
  }
}

describeSql('a Durable Object', async () => {
  worlds++
  const world = `sql-${worlds}`
  return (...statements) => transact(ports, world, statements)
})

describeRegistry('a Durable Object for each workspace', async () => createRegistry())
describeJobAgents('a Durable Object for each workspace', async () => createRegistry())

function createAccounts() {
  worlds++
  const world = `accounts-${worlds}`
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  return { world, clock, accounts: accountsOf(ports, world, clock) }
}

describeAccounts('one Durable Object', async () => createAccounts())

it('the accounts are pruned by their alarm, each hour', async () => {
  const { world, clock, accounts } = createAccounts()
  const ask = (method: 'alarmAt' | 'fireAlarm') => ports.ask({ port: 'accounts-object', world, method })
  await accounts.putValue('old', { value: 'x', metadata: null }, clock.nowMs + 1000)
  await accounts.putValue('kept', { value: 'x', metadata: null }, null)
  const dueAt = Number(await ask('alarmAt'))
  expect(dueAt).toBeGreaterThan(Date.now())
  expect(dueAt).toBeLessThanOrEqual(Date.now() + 60 * 60_000)
  clock.nowMs += 2000
  await accounts.getValue('kept')
  await ask('fireAlarm')
  // By a clock that stands before the end of the first, it would still be read if it were there.
  clock.nowMs -= 2000
  expect(await accounts.listValues('', null, 10)).toEqual([{ key: 'kept', metadata: null, expires_at: null }])
  expect(Number(await ask('alarmAt'))).toBeGreaterThanOrEqual(dueAt)
})

describeJobBus('NATS in a Durable Object', async () => {
  const world = await startNatsWorld(jobBusWorkspaces)
  const linked = await startWorkerdPorts(world.server().webSocketUrl('edge'))
  closes.push(world.close, linked.close)
  return { ...world, bus: busOf(linked) }
})

describeWorkerCalls('NATS in a Durable Object', async () => {
  const world = await startNatsWorld([])
  const linked = await startWorkerdPorts(world.server().webSocketUrl('edge'))
  closes.push(world.close, linked.close)
  return {
    ...world,
    call: async (family, envelope, timeoutMs, abortAfterMs) =>
      (await linked.ask({ port: 'calls', values: [family, envelope, timeoutMs], abortAfterMs })) as CallReply,
  }
})
