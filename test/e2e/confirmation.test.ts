import { Client, type ElicitResult, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import * as v from 'valibot'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { edgeRuntime } from '#test/support/edge-runtime.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// Deleting and overwriting, on the whole stack: with clients whose person can be asked, in both eras, and with those whose
// cannot.

let world: TestStack
beforeAll(async () => {
  world = await startTestStack()
})
afterAll(() => world?.stop())

const written = (path: string) => world.repository.read(path)
const agent = { name: 'A', system_prompt: '' }
const textBefore = 'one\ntwo\n'

const Answer = v.object({ structuredContent: v.record(v.string(), v.unknown()) })

async function connect(era: '2025-11-25' | '2026-07-28', answer: ((message: string) => ElicitResult) | null) {
  const client = new Client(
    { name: 'millwright-confirmation', version: '1.0.0' },
    {
      capabilities: answer === null ? {} : { elicitation: {} },
      ...(era === '2026-07-28' ? { versionNegotiation: { mode: { pin: era } } } : {}),
    },
  )
  if (answer !== null) client.setRequestHandler('elicitation/create', async ({ params }) => answer(params.message))
  const { url, token } = world.stack()
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }))
  const call = async (name: string, args: Record<string, unknown>) => {
    const { structuredContent } = v.parse(Answer, await client.callTool({ name, arguments: args }))
    const { success, error } = v.parse(
      v.object({ success: v.boolean(), error: v.optional(v.looseObject({ code: v.string() })) }),
      structuredContent,
    )
    return success ? 'done' : error?.code
  }
  return { call, close: () => client.close() }
}

/** In workerd the older era has no sessions, and so no way to ask. */
const eras = edgeRuntime() === 'node' ? (['2025-11-25', '2026-07-28'] as const) : (['2026-07-28'] as const)

describe.each(eras)('a client of %s whose person can be asked', (era) => {
  const asked: string[] = []
  let answer: ElicitResult
  let client: Awaited<ReturnType<typeof connect>>
  beforeEach(async () => {
    asked.length = 0
    client = await connect(era, (message) => {
      asked.push(message)
      return answer
    })
    world.repository.write('kept.txt', textBefore)
  })
  afterEach(() => client.close())

  const yes: ElicitResult = { action: 'accept', content: { confirm: true } }
  const noes: ElicitResult[] = [
    { action: 'decline' },
    { action: 'cancel' },
    { action: 'accept', content: { confirm: false } },
  ]

  it('changes nothing where the person does not agree, whatever the model confirms', async () => {
    await world.client.call('create_agent', { agent_id: 'stays', managed_file: 'stays.txt', ...agent })
    for (const no of noes) {
      answer = no
      expect(await client.call('delete_file', { path: 'kept.txt', confirm: true })).toBe('cancelled')
      expect(await client.call('write_file', { path: 'kept.txt', content: 'new\n', confirm: true })).toBe('cancelled')
      expect(await client.call('delete_agent', { agent_id: 'stays' })).toBe('cancelled')
    }
    expect(written('kept.txt')).toBe(textBefore)
    expect((await world.client.call('get_agent_info', { agent_id: 'stays' })).success).toBe(true)
    expect(asked).toHaveLength(9)
    expect(asked.slice(0, 3)).toEqual([
      expect.stringContaining('Delete "kept.txt" (2 lines)'),
      expect.stringContaining('Overwrite "kept.txt" (2 lines)'),
      expect.stringContaining('Delete agent "stays"'),
    ])
  })

  it('does what the person agrees to', async () => {
    answer = yes
    await world.client.call('create_agent', { agent_id: 'goes', managed_file: 'goes.txt', ...agent })
    expect(await client.call('write_file', { path: 'kept.txt', content: 'new\n' })).toBe('done')
    expect(written('kept.txt')).toBe('new\n')
    expect(await client.call('delete_file', { path: 'kept.txt' })).toBe('done')
    expect(world.repository.exists('kept.txt')).toBe(false)
    expect(await client.call('delete_agent', { agent_id: 'goes' })).toBe('done')
    expect((await world.client.call('get_agent_info', { agent_id: 'goes' })).error?.code).toBe('not_found')
    expect(asked).toHaveLength(3)
  })

  it('asks nobody about what loses nothing, and about what is refused anyway', async () => {
    answer = yes
    const { fields } = await world.client.call('read_file', { path: 'kept.txt' })
    const expected_sha256 = String(fields.sha256)
    expect(await client.call('write_file', { path: 'kept.txt', content: textBefore })).toBe('done')
    expect(await client.call('write_file', { path: 'kept.txt', content: 'x\n', expected_sha256 })).toBe('done')
    expect(await client.call('delete_file', { path: 'kept.txt', expected_sha256 })).toBe('conflict')
    expect(await client.call('delete_file', { path: 'nowhere.txt' })).toBe('not_found')
    expect(asked).toEqual([])
  })

  it('does nothing to another version than the person was asked about', async () => {
    const seen: string[] = []
    await client.close()
    client = await connect(era, (message) => {
      seen.push(message)
      if (seen.length === 1) world.repository.write('kept.txt', 'of somebody\nwho came\nin between\n')
      return seen.length === 1 ? yes : { action: 'decline' }
    })
    expect(await client.call('delete_file', { path: 'kept.txt' })).not.toBe('done')
    expect(written('kept.txt')).toBe('of somebody\nwho came\nin between\n')
  })
})

describe.each(['2025-11-25', '2026-07-28'] as const)('a client of %s whose person cannot be asked', (era) => {
  let client: Awaited<ReturnType<typeof connect>>
  beforeEach(async () => {
    client = await connect(era, null)
    world.repository.write('kept.txt', textBefore)
  })
  afterEach(() => client.close())

  it('is told what would be lost, and says that it knows', async () => {
    const refused = await world.client.call('delete_file', { path: 'kept.txt', confirm: false })
    expect(refused.error).toMatchObject({
      code: 'confirmation_required',
      message: 'Cannot delete "kept.txt" unasked: 2 lines would be gone',
      hint: expect.stringContaining('confirm: true'),
      details: { path: 'kept.txt', line_count: 2, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
    expect(await client.call('write_file', { path: 'kept.txt', content: 'new\n' })).toBe('confirmation_required')
    expect(written('kept.txt')).toBe(textBefore)
    expect(await client.call('write_file', { path: 'kept.txt', content: 'new\n', confirm: true })).toBe('done')
    expect(await client.call('delete_file', { path: 'kept.txt' })).toBe('confirmation_required')
    expect(await client.call('delete_file', { path: 'kept.txt', confirm: true })).toBe('done')
    expect(world.repository.exists('kept.txt')).toBe(false)
  })

  it('needs no confirmation where the version is named, for what the agent itself wrote, and for an agent', async () => {
    const { fields } = await world.client.call('read_file', { path: 'kept.txt' })
    const expected_sha256 = String(fields.sha256)
    expect(await client.call('delete_file', { path: 'kept.txt', expected_sha256 })).toBe('done')
    const agent_id = 'own'
    const managed_file = `own-${era}.txt`
    expect(await client.call('create_agent', { agent_id, managed_file, ...agent })).toBe('done')
    expect(await client.call('agent_update_file', { agent_id, content: 'one\n' })).toBe('done')
    expect(await client.call('agent_update_file', { agent_id, content: 'two\n' })).toBe('done')
    world.repository.write(managed_file, 'of a person\n')
    expect(await client.call('agent_update_file', { agent_id, content: 'three\n' })).toBe('confirmation_required')
    expect(await client.call('agent_update_file', { agent_id, content: 'three\n', confirm: true })).toBe('done')
    expect(await client.call('delete_agent', { agent_id })).toBe('done')
    expect(written(managed_file)).toBe('three\n')
  })
})
