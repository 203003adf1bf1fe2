import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Usage } from '#shared/schemas/job.ts'
import { connectClient, type Fields, type ToolAnswer } from '#test/support/mcp.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// Agents and who may write what, on the whole stack: the registry at the edge, ownership in the worker.

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({ model: 'demo' })
})
afterAll(() => world?.stop())

const call = (name: string, args: Fields): Promise<ToolAnswer> => world.client.call(name, args)
const ok = (name: string, args: Fields): Promise<Fields> => world.client.ok(name, args)
const create = (agent_id: string, managed_file: string): Promise<ToolAnswer> =>
  call('create_agent', { agent_id, name: `Agent ${agent_id}`, managed_file, system_prompt: '' })
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const codeOf = (answer: ToolAnswer): string | undefined => (answer.success ? 'success' : answer.error?.code)

interface AgentPage {
  readonly agents: { agent_id: string; managed_file: string; name: string }[]
  readonly next_cursor: string | null
  readonly total: number
}
const list = async (args: Fields = {}): Promise<AgentPage> => (await ok('list_agents', args)) as unknown as AgentPage

describe('a hundred agents', () => {
  const ids = Array.from({ length: 100 }, (_, index) => `h${String(index).padStart(3, '0')}`)

  it('are created, ten at a time', async () => {
    for (let start = 0; start < ids.length; start += 10) {
      const answers = await Promise.all(ids.slice(start, start + 10).map((id) => create(id, `many/${id}.py`)))
      expect(answers.map(codeOf)).toEqual(Array.from({ length: 10 }, () => 'success'))
    }
  })

  it('are listed page by page: each once, in order, with the total on every page', async () => {
    const seen: string[] = []
    const sizes: number[] = []
    let cursor: string | null = null
    do {
      const page: AgentPage = await list({ limit: 30, ...(cursor === null ? {} : { cursor }) })
      expect(page.total).toBe(100)
      seen.push(...page.agents.map((agent) => agent.agent_id))
      sizes.push(page.agents.length)
      cursor = page.next_cursor
    } while (cursor !== null)
    expect(seen).toEqual(ids)
    expect(sizes).toEqual([30, 30, 30, 10])
  })

  it('are listed whole where the page has room, fifty where nothing is said, and without their prompts', async () => {
    const all = await list({ limit: 200 })
    expect(all.agents).toHaveLength(100)
    expect(all.next_cursor).toBeNull()
    expect(all.agents[0]).not.toHaveProperty('system_prompt')
    expect((await list()).agents).toHaveLength(50)
    expect((await list({ limit: 100 })).next_cursor).toBeNull()
  })

  it('are found by id, name or file, in any case, as plain text', async () => {
    expect(await list({ query: 'H04' })).toMatchObject({ total: 10, next_cursor: null })
    expect((await list({ query: 'agent h077' })).agents.map((agent) => agent.agent_id)).toEqual(['h077'])
    expect((await list({ query: 'many/h099.PY' })).agents.map((agent) => agent.agent_id)).toEqual(['h099'])
    expect(await list({ query: '%' })).toMatchObject({ agents: [], total: 0 })
    expect(await list({ query: 'h_' })).toMatchObject({ agents: [], total: 0 })
  })

  it('page through what a query found', async () => {
    const first = await list({ query: 'h04', limit: 6 })
    expect(first).toMatchObject({ total: 10 })
    const second = await list({ query: 'h04', limit: 6, cursor: first.next_cursor ?? '' })
    expect(second).toMatchObject({ total: 10, next_cursor: null })
    expect([...first.agents, ...second.agents].map((agent) => agent.agent_id)).toEqual(ids.slice(40, 50))
  })

  it('refuse a cursor that no page returned', async () => {
    expect(codeOf(await call('list_agents', { cursor: 'bm90IG91cnM' }))).toBe('invalid_input')
  })

  it('are counted by get_server_info, and gone when deleted', async () => {
    expect(await ok('get_server_info', {})).toMatchObject({ agents: 100 })
    for (const agent_id of ids) await ok('delete_agent', { agent_id })
    expect(await list()).toEqual({ agents: [], next_cursor: null, total: 0 })
  })
})

describe('one owner per file', () => {
  beforeAll(async () => {
    const { repository } = world
    repository.write('own/a.py', 'a = 1\n')
    repository.write('own/é.py', 'e = 1\n')
    repository.write('own/other.py', 'o = 1\n')
    symlinkSync('a.py', join(repository.root, 'own/link.py'))
    symlinkSync('own', join(repository.root, 'shortcut'))
    expect(codeOf(await create('owner', 'own/a.py'))).toBe('success')
    expect(codeOf(await create('accent', 'own/é.py'.normalize('NFC')))).toBe('success')
    expect(codeOf(await create('new', 'own/new.py'))).toBe('success')
  })
  afterAll(async () => {
    for (const agent_id of ['owner', 'accent', 'new', 'loose']) await call('delete_agent', { agent_id })
  })

  const spellings = [
    ['as it is', 'own/a.py', 'owner'],
    ['with ./', './own/a.py', 'owner'],
    ['with a doubled slash', 'own//a.py', 'owner'],
    ['with /./ within', 'own/./a.py', 'owner'],
    ['through a link to the file', 'own/link.py', 'owner'],
    ['through a link to the folder', 'shortcut/a.py', 'owner'],
    ['through both', 'shortcut/./link.py', 'owner'],
    ['in composed Unicode', 'own/é.py'.normalize('NFC'), 'accent'],
    ['in decomposed Unicode', 'own/é.py'.normalize('NFD'), 'accent'],
    ['in decomposed Unicode through a link', 'shortcut/é.py'.normalize('NFD'), 'accent'],
    ['of a file that does not exist yet', './own//new.py', 'new'],
    ['of a file that does not exist yet, through a link', 'shortcut/new.py', 'new'],
  ] as const

  it.each(spellings)('refuses a second owner, spelled %s', async (_how, managed_file, owner) => {
    const answer = await create('second', managed_file)
    expect(answer.error).toMatchObject({ code: 'file_already_managed', message: expect.stringContaining(`"${owner}"`) })
    expect(answer.error?.hint).toBeTruthy()
    expect(codeOf(await call('get_agent_info', { agent_id: 'second' }))).toBe('not_found')
  })

  it.each(spellings)('refuses update_agent to it, spelled %s', async (_how, managed_file) => {
    await call('delete_agent', { agent_id: 'loose' })
    await create('loose', 'own/loose.py')
    expect(codeOf(await call('update_agent', { agent_id: 'loose', managed_file }))).toBe('file_already_managed')
    expect(await ok('get_agent_info', { agent_id: 'loose' })).toMatchObject({ agent: { managed_file: 'own/loose.py' } })
  })

  it.each(spellings)('lets nobody write it without its agent, spelled %s', async (_how, path) => {
    const before = new Map(['own/a.py', 'own/é.py'].map((file) => [file, world.repository.read(file)]))
    for (const agent of [{}, { agent_id: 'loose' }]) {
      expect(codeOf(await call('write_file', { path, content: 'stolen = 1\n', ...agent }))).toBe('not_owner')
      expect(codeOf(await call('delete_file', { path, ...agent }))).toBe('not_owner')
      const edits = [{ search: '1', replace: '2' }]
      expect(codeOf(await call('update_file', { path, edits, ...agent }))).toBe('not_owner')
      expect(codeOf(await call('update_file', { path, edits, dry_run: true, ...agent }))).toBe('not_owner')
    }
    for (const [file, content] of before) expect(world.repository.read(file)).toBe(content)
    expect(world.repository.exists('own/new.py')).toBe(false)
  })

  it('tells the agent of a refused file, and that an agent that is not there is not found', async () => {
    const answer = await call('write_file', { path: 'own/a.py', content: 'x\n' })
    expect(answer.error).toMatchObject({ code: 'not_owner', hint: expect.stringContaining('"owner"') })
    expect(codeOf(await call('write_file', { path: 'own/a.py', content: 'x\n', agent_id: 'ghost' }))).toBe('not_found')
  })

  it('lets the owner write through any spelling, and shows the file under its own name', async () => {
    const content = 'a = 2\n'
    const written = await ok('write_file', { path: 'shortcut/./link.py', content, agent_id: 'owner' })
    expect(written).toMatchObject({ path: 'own/a.py', changed: true, sha256: sha256(content) })
    expect(world.repository.read('own/a.py')).toBe(content)
    const edits = [{ search: '2', replace: '3' }]
    expect(await ok('update_file', { path: 'own//a.py', edits, agent_id: 'owner' })).toMatchObject({ path: 'own/a.py' })
    expect(world.repository.read('own/a.py')).toBe('a = 3\n')
  })

  it('lets an agent write no other file, managed or free', async () => {
    for (const path of ['own/other.py', 'own/é.py', 'own/brand-new.py', 'README.md']) {
      const answer = await call('write_file', { path, content: 'x = 1\n', agent_id: 'owner' })
      expect(answer.error, path).toMatchObject({ code: 'not_owner' })
      expect(codeOf(await call('delete_file', { path, agent_id: 'owner' })), path).toMatch(/^(not_owner|not_found)$/)
    }
    expect(world.repository.read('own/other.py')).toBe('o = 1\n')
    expect(world.repository.exists('own/brand-new.py')).toBe(false)
  })

  it('shows owners in list_files', async () => {
    const { entries } = (await ok('list_files', { path: 'own' })) as {
      entries: { path: string; owner: string | null }[]
    }
    expect(Object.fromEntries(entries.map((entry) => [entry.path, entry.owner]))).toEqual({
      'own/a.py': 'owner',
      'own/link.py': null,
      'own/other.py': null,
      ['own/é.py'.normalize('NFC')]: 'accent',
    })
  })

  it('frees the old file when update_agent names a new one, and leaves both files as they are', async () => {
    await ok('update_agent', { agent_id: 'owner', managed_file: './own/other.py' })
    expect(await ok('get_agent_info', { agent_id: 'owner' })).toMatchObject({
      agent: { managed_file: 'own/other.py' },
      file: { exists: true, line_count: 1, sha256: sha256('o = 1\n') },
      file_error: null,
    })
    expect(codeOf(await call('write_file', { path: 'own/a.py', content: 'a = 4\n', agent_id: 'owner' }))).toBe(
      'not_owner',
    )
    await ok('write_file', { path: 'own/a.py', content: 'a = 4\n' })
    expect(codeOf(await create('heir', 'own/a.py'))).toBe('success')
    expect(codeOf(await call('write_file', { path: 'own/other.py', content: 'x\n' }))).toBe('not_owner')
    await ok('delete_agent', { agent_id: 'heir' })
  })

  it('leaves the file when its agent is deleted, and then anyone may write it', async () => {
    const before = world.repository.read('own/other.py')
    expect(await ok('delete_agent', { agent_id: 'owner' })).toEqual({
      deleted: true,
      agent_id: 'owner',
      managed_file: 'own/other.py',
    })
    expect(world.repository.read('own/other.py')).toBe(before)
    for (const [tool, args] of [
      ['get_agent_file', {}],
      ['agent_update_file', { content: 'x = 1\n' }],
      ['chat_with_agent', { message: 'x' }],
      ['delete_agent', {}],
    ] as const) {
      expect(codeOf(await call(tool, { agent_id: 'owner', ...args })), tool).toBe('not_found')
    }
    expect(await ok('write_file', { path: 'own/other.py', content: 'o = 2\n' })).toMatchObject({ changed: true })
  })
})

describe('an agent id', () => {
  it('is taken once, whatever its case', async () => {
    expect(codeOf(await create('Twin', 'twin/a.py'))).toBe('success')
    expect(codeOf(await create('Twin', 'twin/b.py'))).toBe('already_exists')
    expect(codeOf(await create('twin', 'twin/b.py'))).toBe('already_exists')
    expect(codeOf(await call('get_agent_info', { agent_id: 'twin' }))).toBe('not_found')
    await ok('delete_agent', { agent_id: 'Twin' })
  })
})

describe('many at once', () => {
  it('let exactly one of two creators have a file, however each spells it', async () => {
    symlinkSync('race', join(world.repository.root, 'track'))
    mkdirSync(join(world.repository.root, 'race'))
    const second = await connectClient(world.stack().url, world.stack().token)
    try {
      for (let round = 0; round < 10; round++) {
        const args = { name: 'Racer', system_prompt: '' }
        const answers = await Promise.all([
          call('create_agent', { ...args, agent_id: `left-${round}`, managed_file: `race/${round}.py` }),
          second.call('create_agent', { ...args, agent_id: `right-${round}`, managed_file: `track/./${round}.py` }),
        ])
        expect(answers.map(codeOf).sort()).toEqual(['file_already_managed', 'success'])
        const found = await list({ query: `race/${round}.py` })
        expect(found.total).toBe(1)
        await ok('delete_agent', { agent_id: found.agents[0]?.agent_id })
      }
    } finally {
      await second.close()
    }
  })

  it('edit different lines of one file, and no edit is lost', async () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index} old`)
    world.repository.write('shared.md', `${lines.join('\n')}\n`)
    const answers = await Promise.all(
      lines.map((line, index) =>
        call('update_file', { path: 'shared.md', edits: [{ search: `${line}\n`, replace: `line ${index} new\n` }] }),
      ),
    )
    expect(answers.map(codeOf)).toEqual(lines.map(() => 'success'))
    expect(world.repository.read('shared.md')).toBe(`${lines.map((_, index) => `line ${index} new`).join('\n')}\n`)
    // Each wrote another version, and the last of them is what is there.
    const versions = answers.map((answer) => answer.fields.sha256)
    expect(new Set(versions).size).toBe(20)
    expect(versions).toContain(sha256(world.repository.read('shared.md')))
  })

  it('write one file one after another: what is there is one of them, whole', async () => {
    // A hundred kilobytes each: two writers in one file at a time would leave a mixture.
    const contents = Array.from({ length: 20 }, (_, index) => `writer ${index}${'.'.repeat(1000)}\n`.repeat(100))
    const answers = await Promise.all(contents.map((content) => call('write_file', { path: 'contended.md', content })))
    expect(answers.map(codeOf)).toEqual(contents.map(() => 'success'))
    expect(answers.map((answer) => answer.fields.sha256)).toEqual(contents.map(sha256))
    expect(contents.map(sha256)).toContain(sha256(world.repository.read('contended.md')))
  })

  it('let one writer through of those who expect the same version', async () => {
    world.repository.write('versioned.md', 'start\n')
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        call('write_file', { path: 'versioned.md', content: `writer ${index}\n`, expected_sha256: sha256('start\n') }),
      ),
    )
    expect(answers.map(codeOf).sort()).toEqual([...Array.from({ length: 9 }, () => 'conflict'), 'success'])
    const winner = answers.findIndex((answer) => answer.success)
    expect(world.repository.read('versioned.md')).toBe(`writer ${winner}\n`)
  })
})

describe('an agent at work', () => {
  it('shows its file, its jobs and its conversation, before and after, and after a restart of everything', async () => {
    const { repository } = world
    await ok('create_agent', {
      agent_id: 'producer',
      name: 'Producer',
      managed_file: 'producer.py',
      system_prompt: 'Generate data structures',
      description: 'Makes models',
    })
    expect(await ok('get_agent_info', { agent_id: 'producer' })).toMatchObject({
      agent: { agent_id: 'producer', state: 'idle', model: null, description: 'Makes models' },
      file: { exists: false, line_count: null, sha256: null },
      file_error: null,
      jobs: [],
      messages: [],
    })

    const message = 'Create a User model with id, name, email'
    const outcome = await ok('chat_with_agent', { agent_id: 'producer', message })
    expect(outcome).toMatchObject({ state: 'succeeded', changed: true })
    const info = await ok('get_agent_info', { agent_id: 'producer' })
    expect(info).toMatchObject({
      agent: { state: 'idle' },
      file: { exists: true, sha256: outcome.sha256 },
      jobs: [
        { job_id: outcome.job_id, tool: 'chat_with_agent', agent_id: 'producer', state: 'succeeded', error: null },
      ],
      messages: [
        { role: 'user', text: message, job_id: outcome.job_id },
        { role: 'agent', text: outcome.reply, job_id: outcome.job_id },
      ],
    })
    const { prompt_tokens, cached_prompt_tokens, completion_tokens, queue_ms } = outcome.usage as Usage
    expect(info.usage_total).toEqual({
      jobs: 1,
      prompt_tokens,
      cached_prompt_tokens,
      completion_tokens,
      queue_ms,
      generating_ms: expect.any(Number),
    })
    expect(sha256(repository.read('producer.py'))).toBe(outcome.sha256)
    expect(await ok('get_agent_info', { agent_id: 'producer', history_limit: 0 })).toMatchObject({
      jobs: [],
      messages: [],
    })

    const { token } = world.stack()
    const passwords = readPasswords()
    expect(Object.keys(passwords as object).sort()).toEqual(['admin', 'edge', 'model', 'worker'])
    await world.restart()
    expect(world.stack().token).toBe(token)
    expect(readPasswords()).toEqual(passwords)
    expect(await ok('get_agent_info', { agent_id: 'producer' })).toEqual(info)
    expect(await ok('get_job', { job_id: outcome.job_id })).toMatchObject({
      state: 'succeeded',
      result: { sha256: outcome.sha256, diff: outcome.diff },
    })
    // It owns its file as before, and goes on working.
    expect(codeOf(await create('thief', './producer.py'))).toBe('file_already_managed')
    expect(codeOf(await call('write_file', { path: 'producer.py', content: 'x = 1\n' }))).toBe('not_owner')
    const asked = await ok('chat_with_agent', { agent_id: 'producer', message: 'What is in it?', mode: 'ask' })
    expect(asked).toMatchObject({ state: 'succeeded', changed: false })
    expect(sha256(repository.read('producer.py'))).toBe(outcome.sha256)
  })
})

/** What the functions and the worker log in to NATS with. */
function readPasswords(): unknown {
  return JSON.parse(readFileSync(join(world.stack().dataFolder, 'nats', 'passwords.json'), 'utf8'))
}
