import { setTimeout } from 'node:timers/promises'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { modernMessage, postMessage, readMessage } from '#test/support/mcp-message.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// Long work as tasks of the protocol's extension, for clients that know it. No client of ours does, so that the messages are
// written here as they go over the wire.

const EXTENSION = 'io.modelcontextprotocol/tasks'
const Answer = v.object({
  result: v.optional(v.record(v.string(), v.unknown())),
  error: v.optional(v.object({ code: v.number(), message: v.string(), data: v.optional(v.unknown()) })),
})

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({ model: 'demo' })
  for (const [agent_id, managed_file] of [
    ['writer', 'users.py'],
    ['other', 'other.py'],
  ] as const) {
    await world.client.ok('create_agent', { agent_id, name: agent_id, managed_file, system_prompt: 'Write Python.' })
  }
})
afterAll(() => world?.stop())

/** One message of 2026-07-28, from a client that knows tasks or not. */
async function send(
  method: string,
  params: Record<string, unknown>,
  { knowsTasks = true, name = params.name ?? params.taskId }: { knowsTasks?: boolean; name?: unknown } = {},
) {
  const { url, token } = world.stack()
  const capabilities = knowsTasks ? { extensions: { [EXTENSION]: {} } } : {}
  const header = name === undefined ? undefined : String(name)
  const response = await postMessage(url, token, modernMessage(method, params, { capabilities, name: header }))
  return { status: response.status, ...v.parse(Answer, await readMessage(response)) }
}

const chat = (agent_id: string, message: string, { knowsTasks = true, ...more }: Record<string, unknown> = {}) =>
  send(
    'tools/call',
    { name: 'chat_with_agent', arguments: { agent_id, message, ...more } },
    { knowsTasks: knowsTasks === true },
  )

async function untilOver(taskId: unknown) {
  for (;;) {
    const { result } = await send('tasks/get', { taskId })
    if (result?.status !== 'working') return result
    await setTimeout(100)
  }
}

describe('the tasks extension', () => {
  it('is told of, and gives the task of an agent: created, worked on, completed with the tool’s own answer', async () => {
    const discovered = await send('server/discover', {})
    expect(discovered.result?.capabilities).toMatchObject({ extensions: { [EXTENSION]: {} } })

    const created = await chat('writer', 'Create a User model with id, name, email')
    expect(created.result).toMatchObject({ resultType: 'task', status: 'working', pollIntervalMs: 1000 })
    expect(created.result).not.toHaveProperty('result')
    const taskId = created.result?.taskId
    const over = await untilOver(taskId)
    expect(over).toMatchObject({
      resultType: 'complete',
      taskId,
      status: 'completed',
      result: { structuredContent: { success: true, job_id: taskId, changed: true, checks: { passed: true } } },
    })
    expect(world.repository.read('users.py')).toContain('class User')
    // The same work under the same name, for whoever asks in the other way.
    expect(await world.client.ok('get_job', { job_id: taskId })).toMatchObject({ state: 'succeeded' })
  }, 60_000)

  it('shows a refusal as what the tool answered, and a cancelled task as cancelled', async () => {
    const refused = await chat('writer', 'Use what is not there', { context: { other: 'missing.py' } })
    const answer = { isError: true, structuredContent: { success: false, error: { code: 'not_found' } } }
    // Work that is over at once needs no task.
    if (refused.result?.taskId === undefined) expect(refused.result).toMatchObject(answer)
    else expect(await untilOver(refused.result.taskId)).toMatchObject({ status: 'completed', result: answer })
    const long = await chat('other', 'Write a long poem')
    expect((await send('tasks/cancel', { taskId: long.result?.taskId })).result).toEqual(
      expect.objectContaining({ resultType: 'complete' }),
    )
    const over = await untilOver(long.result?.taskId)
    expect(['cancelled', 'completed']).toContain(over?.status)
  }, 60_000)

  it('gives nobody a task who has not said that they know them', async () => {
    const plain = await chat('writer', 'Create a User model with id, name, email', { knowsTasks: false })
    expect(plain.result).not.toHaveProperty('taskId')
    expect(plain.result?.structuredContent).toBeDefined()
    const asked = await send('tasks/get', { taskId: 'x' }, { knowsTasks: false })
    expect([asked.status, asked.error]).toMatchObject([
      400,
      { code: -32021, data: { requiredCapabilities: { extensions: { [EXTENSION]: {} } } } },
    ])
  }, 60_000)

  it('refuses a task that there is not, one of nonsense, and a header that names another', async () => {
    for (const taskId of ['none', '../x', `${'j'.repeat(400)}`]) {
      expect((await send('tasks/get', { taskId })).error, taskId).toMatchObject({ code: -32602 })
      expect((await send('tasks/cancel', { taskId })).error, taskId).toMatchObject({ code: -32602 })
    }
    expect((await send('tasks/get', { taskId: 'a' }, { name: 'b' })).error).toMatchObject({ code: -32020 })
    expect((await send('tasks/get', {})).error).toMatchObject({ code: -32602 })
    expect((await send('tasks/list', {})).error).toMatchObject({ code: -32601 })
  })

  it('answers a wrong call as every tool does, without a task', async () => {
    const wrong = await send('tools/call', { name: 'chat_with_agent', arguments: { agent_id: 'nobody', message: 'x' } })
    expect(wrong.result).toMatchObject({ isError: true, structuredContent: { error: { code: 'not_found' } } })
  })
})
