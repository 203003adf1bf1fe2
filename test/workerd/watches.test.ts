import { afterAll, beforeAll, expect, it } from 'vitest'
import { createJobId, toWorkspaceId } from '#shared/ids.ts'
import { jobSubject } from '#shared/protocol/subjects.ts'
import type { WorkspaceEvent } from '#shared/schemas/event.ts'
import { type NatsWorld, startNatsWorld } from '#test/support/nats-world.ts'
import { busOf, startWorkerdPorts, type WorkerdPorts } from '#test/support/workerd-ports/ports-client.ts'

// Who watches by way of the object that holds the connection, and what becomes of it when that object goes.

const here = toWorkspaceId('here')
const job = createJobId(Date.UTC(2026, 0, 1))
const changed = (path: string): WorkspaceEvent => ({ v: 1, type: 'file_changed', path })
let nats: NatsWorld
let ports: WorkerdPorts
beforeAll(async () => {
  nats = await startNatsWorld([here])
  ports = await startWorkerdPorts(nats.server().webSocketUrl('edge'))
})
afterAll(async () => {
  await ports?.close()
  await nats?.close()
})

const soon = <T>(read: () => T) => expect.poll(read, { timeout: 40_000, interval: 50 })
const putAway = () => ports.ask({ port: 'link', method: 'putAway', values: [] })
const refuseWatches = (refuse: boolean) => ports.ask({ port: 'link', method: 'refuseWatches', values: [refuse] })
const watchesAsked = async () => Number(await ports.ask({ port: 'link', method: 'watchesAsked', values: [] }))

it('a watch outlives the object that tells it: it learns that it may have missed something, and hears on', async () => {
  const bus = busOf(ports)
  const ofWorkspace: unknown[] = []
  const ofJob: unknown[] = []
  const stops = [
    await bus.watchWorkspace(here, (event) => ofWorkspace.push(event)),
    await bus.watch(here, job, (progress) => ofJob.push(progress)),
  ]
  bus.announce(here, changed('before.py'))
  await soon(() => ofWorkspace).toEqual([changed('before.py')])
  for (const round of ['first', 'second']) {
    ofWorkspace.length = 0
    ofJob.length = 0
    await putAway()
    await soon(() => [ofWorkspace, ofJob]).toEqual([[null], [null]])
    bus.announce(here, changed(`${round}.py`))
    await soon(() => ofWorkspace).toEqual([null, changed(`${round}.py`)])
    const progress = { phase: 'generating', round: 1, tokens: 3, message: '3 tokens' }
    nats.worker.publish(jobSubject(here, job), JSON.stringify({ v: 1, job_id: job, state: 'running', progress }))
    await soon(() => ofJob).toEqual([null, progress])
  }
  expect(await watchesAsked()).toBe(2)
  for (const stop of stops) stop()
})

it('watches that could not begin begin later, with the same word, after one of them has tried for all', async () => {
  const bus = busOf(ports)
  const before = await watchesAsked()
  await refuseWatches(true)
  const heard: unknown[][] = [[], []]
  const stops = await Promise.all(heard.map((each) => bus.watchWorkspace(here, (event) => each.push(event))))
  expect(await watchesAsked()).toBe(before + 2)
  // One of the two tries, and is refused as well.
  await soon(watchesAsked).toBe(before + 3)
  await refuseWatches(false)
  await soon(() => heard).toEqual([[null], [null]])
  expect(await watchesAsked()).toBe(before + 5)
  bus.announce(here, changed('later.py'))
  await soon(() => heard).toEqual([
    [null, changed('later.py')],
    [null, changed('later.py')],
  ])
  for (const stop of stops) stop()
})
