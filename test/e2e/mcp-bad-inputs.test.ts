import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHostileWorld, type HostileWorld } from '#test/support/hostile-world.ts'
import { type McpMessage, modernMessage, postMessage, readMessage } from '#test/support/mcp-message.ts'
import { hashTree } from '#test/support/temp-repository.ts'

// Area mcp of the open collection of hostile inputs, over HTTP as any program could send it.

const file: unknown = JSON.parse(readFileSync(new URL('../fixtures/bad-inputs.json', import.meta.url), 'utf8'))
const ids = v
  .parse(v.object({ items: v.array(v.object({ id: v.string(), area: v.string() })) }), file)
  .items.filter((item) => item.area === 'mcp')
  .map((item) => item.id)

/** Cases that another suite holds. */
const elsewhere: Record<string, string> = {
  M22: 'an error inside is told by an id only: functions/app.test.ts, "tells a caller nothing of what went wrong inside"',
  M17: 'a dropped connection during a task: test/e2e/jobs.test.ts',
}

interface Rpc {
  readonly status: number
  readonly result?: {
    isError?: boolean
    structuredContent?: { success: boolean; error?: { code: string; message: string }; content?: string }
  }
  readonly error?: { code: number; message: string }
}

describe('hostile inputs of the protocol', () => {
  let world: HostileWorld
  const tested = new Set<string>()
  beforeAll(async () => {
    world = await createHostileWorld()
  })
  afterAll(() => world.stop())

  async function post(message: McpMessage): Promise<Rpc> {
    const response = await postMessage(world.stack.url, world.stack.token, message)
    return { status: response.status, ...((await readMessage(response)) as object) }
  }

  const modern = (method: string, params: Record<string, unknown>, id: string | number = 1) =>
    post(modernMessage(method, params, { id }))

  const call = (name: string, args: unknown, more: Record<string, unknown> = {}, id: string | number = 1) =>
    modern('tools/call', { name, arguments: args, ...more }, id)

  /** One case: refused in one of the two ways that the protocol has, with nothing changed and everybody alive. */
  function refuses(id: string, what: string, send: () => Promise<Rpc[]>): void {
    it(`${id}: ${what}`, async () => {
      tested.add(id)
      const before = [hashTree(world.repository.root), JSON.stringify(await world.client.ok('list_agents', {}))]
      for (const answer of await send()) {
        const refusal = answer.error ?? answer.result?.structuredContent?.error
        expect(refusal, JSON.stringify(answer)).toBeDefined()
        expect(refusal?.code).not.toBe('internal')
        expect(JSON.stringify(answer)).not.toContain(world.repository.folder)
      }
      expect(hashTree(world.repository.root)).toBe(before[0])
      expect(JSON.stringify(await world.client.ok('list_agents', {}))).toBe(before[1])
    })
  }

  refuses('M03', 'an unknown argument', async () => [await call('read_file', { path: 'src/a.ts', extra: 1 })])
  refuses('M04', 'null arguments', async () => [await call('read_file', null)])
  refuses('M07', 'a request state that nobody gave out', async () => [
    await call('read_file', { path: 'src/a.ts' }, { requestState: 'tampered' }),
  ])
  refuses('M09', 'a request state of another request', async () => [
    await call('delete_file', { path: 'README.md' }, { requestState: 'read_file' }),
  ])
  // There is one user so far; what a second one may see is the next step of sign-in. Until then: nobody's task.
  refuses('M11', 'a task that is not there for the one who asks', async () => [
    await modern('tasks/get', { taskId: 'job_01k9zq0000abcdefghjkmnpqrs' }),
    await modern('tasks/cancel', { taskId: 'job_01k9zq0000abcdefghjkmnpqrs' }),
    await call('get_job', { job_id: 'job_01k9zq0000abcdefghjkmnpqrs' }),
    await call('cancel_job', { job_id: 'job_01k9zq0000abcdefghjkmnpqrs' }),
  ])
  refuses('M21', 'a trace context that is a header injection', async () => [
    await call('read_file', { path: 'src/a.ts' }, { _meta: { traceparent: '\r\nX-Evil: 1' } }),
  ])
  it('M05: one key for two different tasks', async () => {
    tested.add('M05')
    const key = { idempotency_key: 'k1', wait_seconds: 0, agent_id: 'a1' }
    const first = await world.client.ok('chat_with_agent', { ...key, message: 'One thing' })
    const again = await world.client.ok('chat_with_agent', { ...key, message: 'One thing' })
    const other = await world.client.call('chat_with_agent', { ...key, message: 'Another thing' })
    expect(again.job_id).toBe(first.job_id)
    expect(other.error?.code).toBe('conflict')
    await world.client.ok('cancel_job', { job_id: first.job_id })
  })

  it('M16: ten thousand subscriptions: those beyond the limit are refused, and none holds a connection', async () => {
    tested.add('M16')
    const statuses: number[] = []
    for (let round = 0; round < 100; round++) {
      // Awaiting the whole body shows that the stream has ended.
      const listen = () => modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
      statuses.push(...(await Promise.all(Array.from({ length: 100 }, listen))).map((answer) => answer.status))
    }
    expect(new Set(statuses)).toEqual(new Set([200, 429]))
    // At most a minute's worth for each minute that this took.
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(120)
    expect(await world.client.ok('read_file', { path: 'src/a.ts' })).toMatchObject({ path: 'src/a.ts' })
  }, 60_000)

  it('M19: two clients whose requests have the same id', async () => {
    tested.add('M19')
    const paths = ['src/a.ts', 'src/b.ts']
    for (let round = 0; round < 3; round++) {
      // Fewer at once than a worker takes: what is beyond is refused with `busy`.
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) => call('read_file', { path: paths[index % 2] }, {}, 7)),
      )
      for (const [index, answer] of answers.entries()) {
        expect(answer.result?.structuredContent).toMatchObject({ path: paths[index % 2] })
      }
    }
  })

  it('every case of the collection has its test', () => {
    for (const id of ids) expect(tested.has(id) || elsewhere[id] !== undefined, id).toBe(true)
  })
})
