import { symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { Bug, BugStatistics } from '#shared/schemas/bug.ts'
import type { Fields, ToolAnswer } from '#test/support/mcp.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// The list of bugs on the whole stack: its form on disk, many writers at once, and what people and attackers put there.

const PATH = 'AGENT_bugs.json'
const SECOND = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

interface BugFile {
  readonly metadata: Fields
  readonly classification: Fields
  readonly bugs: (Bug & Fields)[]
  readonly statistics: BugStatistics
}

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({ files: { 'README.md': '# Sample\n' } })
})
afterAll(() => world?.stop())
afterEach(() => {
  if (world.repository.exists(PATH)) unlinkSync(join(world.repository.root, PATH))
})

const least = { severity: 'low', category: 'docs', title: 'A title', description: 'What is wrong' } as const
const report = (more: Fields = {}): Promise<ToolAnswer> => world.client.call('report_bug', { ...least, ...more })
const reported = async (more: Fields = {}): Promise<Bug> =>
  (await world.client.ok('report_bug', { ...least, ...more })).bug as Bug
const list = (args: Fields = {}): Promise<Fields> => world.client.ok('list_bugs', args)
const onDisk = (): BugFile => JSON.parse(world.repository.read(PATH)) as BugFile
const put = (value: unknown): string => {
  const text = typeof value === 'string' ? value : `${JSON.stringify(value, null, 2)}\n`
  world.repository.write(PATH, text)
  return text
}

/** A call by a caller that comes again where it is told that too many call at once. */
async function patiently(name: string, args: Fields): Promise<Fields> {
  for (;;) {
    const answer = await world.client.call(name, args)
    if (answer.success) return answer.fields
    if (answer.error?.code !== 'busy') throw new Error(`Refused: ${JSON.stringify(answer.error)}`)
    await setTimeout(Number(answer.error.details?.retry_after_ms))
  }
}

describe('the file', () => {
  it('does not come into being by asking', async () => {
    expect(await list()).toEqual({
      bugs: [],
      statistics: {
        total: 0,
        by_severity: { critical: 0, high: 0, medium: 0, low: 0 },
        by_category: {},
        open: 0,
        resolved: 0,
      },
      truncated: false,
    })
    expect(world.repository.exists(PATH)).toBe(false)
  })

  it('begins with the first report, in the form that other tools read', async () => {
    const bug = await reported({
      severity: 'high',
      category: 'schema_validation',
      location: 'scripts/validate.py:12',
      impact: 'No step can be tried alone',
      workaround: 'Switch the check off',
    })
    expect(bug).toEqual({
      id: 'BUG-001',
      severity: 'high',
      category: 'schema_validation',
      title: 'A title',
      description: 'What is wrong',
      location: 'scripts/validate.py:12',
      impact: 'No step can be tried alone',
      workaround: 'Switch the check off',
      status: 'open',
      created: expect.stringMatching(SECOND),
    })
    const file = onDisk()
    expect(file.bugs).toEqual([bug])
    expect(Object.keys(file)).toEqual(['metadata', 'classification', 'bugs', 'statistics'])
    expect(Object.keys(file.bugs[0] ?? {})).toEqual(Object.keys(bug))
    expect(file.metadata).toEqual({
      created: bug.created.slice(0, 10),
      version: '1.0',
      description: expect.stringMatching(/\S/),
    })
    expect(Object.keys(file.classification)).toEqual(['critical', 'high', 'medium', 'low'])
    expect(file.statistics).toEqual({
      total: 1,
      by_severity: { critical: 0, high: 1, medium: 0, low: 0 },
      by_category: { schema_validation: 1 },
      open: 1,
      resolved: 0,
    })
    expect(world.repository.read(PATH)).toBe(`${JSON.stringify(file, null, 2)}\n`)
  })

  it('has every field of a bug, also those that nobody gave', async () => {
    const bug = await reported()
    expect(bug).toMatchObject({ location: '', impact: '', workaround: '' })
    expect(onDisk().bugs).toEqual([bug])
  })

  it('keeps what people wrote into it, and counts on from the highest number', async () => {
    const old = {
      id: 'BUG-041',
      severity: 'critical',
      category: 'missing_method',
      title: 'No validate_all',
      description: 'The start fails',
      status: 'resolved',
      created: '2025-09-07T18:13:00Z',
      assignee: 'Ada',
    }
    const statistics = { total: 77, trend: 'up' }
    put({ note: { by: 'hand' }, bugs: [{ ...old, id: 'LEGACY 7', status: 'waiting' }, old], statistics, after: [1.5] })
    const bug = await reported({ severity: 'medium' })
    expect(bug.id).toBe('BUG-042')
    expect(onDisk()).toEqual({
      note: { by: 'hand' },
      bugs: [{ ...old, id: 'LEGACY 7', status: 'waiting' }, old, bug],
      statistics: {
        total: 3,
        by_severity: { critical: 2, high: 0, medium: 1, low: 0 },
        by_category: { missing_method: 2, docs: 1 },
        open: 1,
        resolved: 1,
      },
      after: [1.5],
    })
  })

  it('is committed with what else was written here, and its earlier versions are kept', async () => {
    await reported()
    await reported({ title: 'Another' })
    const committed = await world.client.ok('git_commit', { message: 'Note two bugs' })
    expect(committed.files).toEqual([PATH])
    expect(await world.repository.git('show', `HEAD:${PATH}`)).toBe(world.repository.read(PATH))
    await world.repository.git('rm', '--quiet', PATH)
    await world.repository.git('commit', '--quiet', '--message', 'Away')
  })
})

describe('list_bugs', () => {
  it('shows the newest first, by status and severity, and counts all of them', async () => {
    const ids: string[] = []
    for (const severity of ['high', 'low', 'high']) ids.push((await reported({ severity })).id)
    const file = onDisk()
    const [first] = file.bugs
    put({ ...file, bugs: file.bugs.map((bug) => (bug === first ? { ...bug, status: 'resolved' } : bug)) })
    const idsOf = async (args: Fields) => ((await list(args)).bugs as Bug[]).map(({ id }) => id)
    expect(await idsOf({})).toEqual(ids.toReversed())
    expect(await idsOf({ status: 'open' })).toEqual([ids[2], ids[1]])
    expect(await idsOf({ status: 'open', severity: 'high' })).toEqual([ids[2]])
    expect(await idsOf({ status: 'resolved' })).toEqual([ids[0]])
    // The person who resolved it did not count, and need not.
    expect((await list({ severity: 'low' })).statistics).toMatchObject({ total: 3, open: 2, resolved: 1 })
  })

  it('is read as lines', async () => {
    const bug = await reported({ title: 'One\ntwo', workaround: 'Wait\r\nlonger' })
    const { text } = await world.client.call('list_bugs', {})
    expect(text.split('\n')).toEqual([
      '1 of 1 bugs; 1 open, 0 resolved',
      `${bug.id} low open [docs] One two`,
      '  description: What is wrong',
      '  workaround: Wait longer',
    ])
  })

  it('says that it left out the older ones of very many', async () => {
    const one = { ...(await reported()), description: 'x'.repeat(8000) }
    put({ bugs: Array.from({ length: 100 }, (_, index) => ({ ...one, id: `BUG-${index + 1}` })) })
    const { fields, text } = await world.client.call('list_bugs', {})
    const shown = fields.bugs as Bug[]
    expect(fields).toMatchObject({ truncated: true, statistics: { total: 100 } })
    expect(shown[0]?.id).toBe('BUG-100')
    expect(shown.length).toBeGreaterThan(20)
    expect(shown.length).toBeLessThan(100)
    expect(text).toMatch(/\[older ones: read_file AGENT_bugs\.json\]$/)
  })
})

describe('many writers', () => {
  it('lose none of fifty reports that come at once, nor what another tool edits meanwhile', async () => {
    const { id } = await reported({ title: 'Before' })
    const reports = Array.from({ length: 50 }, (_, index) =>
      patiently('report_bug', { ...least, title: `Report ${index}` }),
    )
    const edit = patiently('update_file', {
      path: PATH,
      edits: [
        { search: '"status": "open",\n      "created"', replace: '"status": "resolved",\n      "created"', all: true },
      ],
    })
    const [answers] = await Promise.all([Promise.all(reports), edit])
    const bugs = answers.map((answer) => answer.bug as Bug)
    const file = onDisk()
    expect(file.bugs.map((bug) => bug.id).sort()).toEqual([id, ...bugs.map((bug) => bug.id)].sort())
    expect(new Set(file.bugs.map((bug) => bug.id)).size).toBe(51)
    // Each caller was told the id under which the file has its own report.
    for (const [index, bug] of bugs.entries()) {
      expect(bug.title).toBe(`Report ${index}`)
      expect(file.bugs.find((each) => each.id === bug.id)?.title).toBe(bug.title)
    }
    expect(file.bugs.find((bug) => bug.id === id)?.status).toBe('resolved')
    expect((await list()).statistics).toMatchObject({ total: 51 })
  }, 60_000)
})

describe('a file that cannot be given back whole', () => {
  const bug = { id: 'BUG-001', ...least, status: 'open', created: '2026-01-01T00:00:00Z' }
  it.each([
    ['half a file', '{"bugs": [', 'not valid JSON'],
    ['a merge in conflict', '{\n<<<<<<< HEAD\n"bugs": []\n=======\n"bugs": []\n>>>>>>> b\n}\n', 'not valid JSON'],
    ['an empty file', '', 'not valid JSON'],
    ['a list', '[]', 'a list stands where an object belongs'],
    ['another object', '{"issues": []}', 'bugs: expected'],
    ['bugs that are none', '{"bugs": {"0": 1}}', 'bugs: expected Array'],
    ['a bug without an id', JSON.stringify({ bugs: [{ ...bug, id: undefined }] }), 'bugs.0.id: expected'],
    ['an unknown severity', JSON.stringify({ bugs: [bug, { ...bug, severity: 'HIGH' }] }), 'bugs.1.severity: expected'],
    ['the same key twice', `{"bugs": [${JSON.stringify(bug)}], "bugs": []}`, 'the same key twice'],
    ['a thousand levels', `{"bugs": [], "deep": ${'['.repeat(1000)}${']'.repeat(1000)}}`, '100 levels'],
    ['bytes that are no text', Buffer.from([0x7b, 0x80, 0x7d]), 'UTF-8'],
  ])('%s is refused by name and stays as it is', async (_what, content, message) => {
    const at = join(world.repository.root, PATH)
    writeFileSync(at, content)
    for (const answer of [await report(), await world.client.call('list_bugs', {})]) {
      expect(answer.success).toBe(false)
      expect(answer.error?.code).toBe(Buffer.isBuffer(content) ? 'invalid_input' : 'unavailable')
      expect(answer.error?.message).toContain(PATH)
      expect(answer.error?.message).toContain(message)
    }
    expect(world.repository.read(PATH)).toBe(Buffer.from(content).toString())
  })

  it('a link to a file outside is neither read nor written', async () => {
    const outside = join(world.repository.folder, 'outside.json')
    writeFileSync(outside, '{"bugs": []}')
    symlinkSync(outside, join(world.repository.root, PATH))
    expect((await report()).error?.code).toBe('outside_repository')
    expect((await world.client.call('list_bugs', {})).error?.code).toBe('outside_repository')
  })

  it('a full file takes no more, and says what to do', async () => {
    const one = { ...bug, description: 'x'.repeat(8000) }
    const before = put({ bugs: Array.from({ length: 127 }, () => one) })
    expect(before.length).toBeLessThan(FILE_BYTES_MAX)
    const { error } = await report({ description: '\u0001'.repeat(8000) })
    expect(error).toMatchObject({ code: 'too_large', hint: expect.stringContaining('resolved bugs') })
    expect(world.repository.read(PATH)).toBe(before)
  })
})

describe('hostile text', () => {
  it.each([
    ['control characters', '\u0000\u001b[2J\r\n\t\u007f\u202e'],
    ['half a surrogate pair', 'a\ud800b'],
    ['JSON', '"}], "bugs": [] //'],
    ['a name that means something to JavaScript', '__proto__'],
    ['another', 'constructor'],
  ])('%s is data in every field', async (_what, text) => {
    const sent = { category: text, title: text, description: text, location: text, impact: text, workaround: text }
    const bug = await reported(sent)
    expect(bug).toMatchObject(sent)
    const { bugs, statistics } = await list()
    expect(bugs).toEqual([bug])
    expect(Object.entries((statistics as BugStatistics).by_category as Fields)).toEqual([[text, 1]])
    expect(onDisk().bugs).toEqual([bug])
    expect(Object.entries(onDisk().statistics.by_category as Fields)).toEqual([[text, 1]])
    const shown = (await world.client.call('list_bugs', {})).text
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/)
  })

  it('of 1 MiB is refused by the name of its field', async () => {
    for (const field of ['category', 'title', 'description', 'location', 'impact', 'workaround']) {
      const { error } = await report({ [field]: 'x'.repeat(1024 * 1024) })
      expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining(`${field}: `) })
    }
    expect(world.repository.exists(PATH)).toBe(false)
  })

  it('that is a secret does not get into the repository', async () => {
    const before = put({ bugs: [] })
    const secret = `AKIA${'Q3'.repeat(8)}`
    const { error } = await report({ description: `The key ${secret} does not work` })
    expect(error).toMatchObject({ code: 'checks_failed', message: expect.stringContaining('secrets') })
    expect(world.repository.read(PATH)).toBe(before)
  })
})

describe('an agent that owns the file', () => {
  it('is its only writer, as of any file', async () => {
    const before = put({ bugs: [] })
    await world.client.ok('create_agent', { agent_id: 'keeper', name: 'K', managed_file: PATH, system_prompt: '' })
    expect((await report()).error).toMatchObject({
      code: 'not_owner',
      message: expect.stringContaining('keeper'),
      hint: expect.stringContaining('another file'),
    })
    expect(world.repository.read(PATH)).toBe(before)
    expect(await list()).toMatchObject({ statistics: { total: 0 } })
    await world.client.ok('delete_agent', { agent_id: 'keeper' })
    expect((await reported()).id).toBe('BUG-001')
  })
})
