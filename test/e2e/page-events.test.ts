import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'
import { createEvents, type ServerEvent } from '../../web/src/api/events.ts'

// What the page hears while its views come and go, against the whole stack. The requests for streams can be held up on
// their way, as by a slow network.

const ONE = 'millwright://agents/one'
const TWO = 'millwright://agents/two'
const LIST: ServerEvent = { kind: 'list' }
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 20 })

let world: TestStack
let client: Client
let listens = 0
let passage: Promise<void> = Promise.resolve()

beforeAll(async () => {
  world = await startTestStack({})
  for (const agent_id of ['one', 'two']) {
    const managed_file = `${agent_id}.py`
    await world.client.ok('create_agent', { agent_id, name: agent_id, managed_file, system_prompt: '' })
  }
  const { url, token } = world.stack()
  client = new Client({ name: 'page', version: '1.0.0' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
      fetch: async (input, init) => {
        if (String(init?.body).includes('"subscriptions/listen"')) {
          listens++
          await passage
        }
        return fetch(input, init)
      },
    }),
  )
})
afterAll(async () => {
  await client?.close()
  await world?.stop()
})

const rename = (agent_id: string) => world.client.ok('update_agent', { agent_id, name: `Renamed ${agent_id}` })

describe('the events of the page', () => {
  it('are missed by nobody while another view comes, whose first news is that it may have missed some', async () => {
    const events = createEvents(async () => client)
    const first: ServerEvent[] = []
    const second: ServerEvent[] = []
    const leaveFirst = events.subscribe([ONE], (event) => first.push(event))
    await soon(() => first).toEqual([LIST])

    let letThrough = (): void => undefined
    passage = new Promise((resolve) => {
      letThrough = resolve
    })
    const before = listens
    const leaveSecond = events.subscribe([TWO], (event) => second.push(event))
    await soon(() => listens).toBe(before + 1)
    first.length = 0
    await rename('one')
    await soon(() => first).toContainEqual({ kind: 'resource', uri: ONE })
    expect(second.filter(({ kind }) => kind === 'resource')).toEqual([])

    second.length = 0
    letThrough()
    await soon(() => second).toEqual([LIST])
    first.length = 0
    await rename('one')
    await rename('two')
    await soon(() => first).toContainEqual({ kind: 'resource', uri: ONE })
    await soon(() => second).toContainEqual({ kind: 'resource', uri: TWO })

    leaveFirst()
    leaveSecond()
  })

  it('go on for a view that stays when one that came with it leaves before the stream is there', async () => {
    const events = createEvents(async () => client)
    const stays: ServerEvent[] = []
    const leave = events.subscribe([ONE], (event) => stays.push(event))
    await soon(() => stays).toEqual([LIST])

    let letThrough = (): void => undefined
    passage = new Promise((resolve) => {
      letThrough = resolve
    })
    const before = listens
    const leaveSecond = events.subscribe([TWO], () => undefined)
    await soon(() => listens).toBe(before + 1)
    leaveSecond()
    await new Promise((resolve) => setTimeout(resolve, 400))
    letThrough()
    stays.length = 0
    await rename('one')
    await soon(() => stays).toContainEqual({ kind: 'resource', uri: ONE })
    leave()
  })
})
