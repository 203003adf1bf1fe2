import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStack } from '#scripts/stack.ts'
import { createHostileWorld, type HostileWorld } from '#test/support/hostile-world.ts'
import { connectClient } from '#test/support/mcp.ts'

const LINE = `${'ab'.repeat(50)}\n`
/** Takes up to 25 µs a character of such lines. */
const SLOW_REGEX = '[ab]{1,400}[xyz]'
const SLOW_CHARACTERS = 500_000

describe('the whole stack, under a hostile or unlucky caller', () => {
  let world: HostileWorld
  beforeAll(async () => {
    world = await createHostileWorld()
  }, 60_000)
  afterAll(() => world.stop(), 60_000)

  it.each(['constructor', 'prototype', '__proto__'])('keeps the owner of a file that is called %s', async (path) => {
    const { client } = world
    const agent_id = `owns-${path.replaceAll('_', '')}`
    await client.ok('create_agent', { agent_id, name: path, managed_file: path, system_prompt: '' })
    expect((await client.call('write_file', { path, content: 'stolen\n' })).error?.code).toBe('not_owner')
    await client.ok('agent_update_file', { agent_id, content: 'mine\n' })
    const { entries } = await client.ok('list_files', { glob: path })
    expect(entries).toEqual([{ path, kind: 'file', bytes: 5, owner: agent_id }])
  })

  it('says busy, and when to come again, to more calls than it takes', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => world.client.call('git_status', {})))
    const refused = answers.filter(({ success }) => !success)
    expect(refused.length).toBeGreaterThan(0)
    expect(new Set(refused.map(({ error }) => error?.code))).toEqual(new Set(['busy']))
    expect(refused[0]?.error?.details).toMatchObject({ retry_after_ms: 500 })
  })

  it('goes on serving others while a slow search runs', async () => {
    const { client, repository } = world
    mkdirSync(join(repository.root, 'slow'))
    for (let index = 0; index < 4; index++) {
      writeFileSync(join(repository.root, 'slow', `f${index}.txt`), LINE.repeat(SLOW_CHARACTERS / LINE.length))
    }
    writeFileSync(join(repository.root, 'slow', 'one-line.txt'), 'ab'.repeat(SLOW_CHARACTERS / 2))
    const searching = client.call('search_files', { pattern: SLOW_REGEX, regex: true, glob: 'slow/*' })
    for (let index = 0; index < 5; index++) {
      const startedAt = Date.now()
      await client.ok('read_file', { path: 'src/a.ts' })
      expect(Date.now() - startedAt).toBeLessThan(3000)
    }
    // The file of one line is not searched, and counted: within a line nothing can stop a regex.
    const { fields, error } = await searching
    expect(error?.code ?? fields.files_skipped).toSatisfy((found) => found === 'timeout' || found === 1)
  }, 60_000)

  it('lists on after a path as long as paths may be', async () => {
    const { client, repository } = world
    const folder = `long/${Array.from({ length: 8 }, (_, index) => String(index).repeat(240)).join('/')}`
    repository.write(`${folder}/a.txt`, 'a')
    repository.write(`${folder}/b.txt`, 'b')
    const first = await client.ok('list_files', { path: folder, limit: 1 })
    const second = await client.ok('list_files', { path: folder, limit: 1, cursor: first.next_cursor })
    expect(second).toMatchObject({ entries: [{ path: `${folder}/b.txt` }], next_cursor: null })
  })

  it('answers shortly about a file of very many functions, the most complex among them', async () => {
    const content = `${'function f() {}\n'.repeat(20_000)}function last(a) { return a ? 1 : 2 }\n`
    const answer = await world.client.call('validate_file', { file_path: 'many.js', content })
    expect(answer.fields.complexity).toMatchObject({ cyclomatic: 2, functions: expect.any(Array) })
    expect(JSON.stringify(answer.fields.complexity)).toContain('last')
    expect(JSON.stringify(answer.fields).length).toBeLessThan(64 * 1024)
  })

  it('keeps a second worker, with a registry of its own, off the repository', async () => {
    const { repository, stack } = world
    const log: string[] = []
    const dataFolder = join(repository.folder, 'second')
    const model = join(repository.folder, 'tiny.gguf')
    const options = { repository: repository.root, dataFolder, model, threads: 1, port: 0 }
    const second = await startStack({ ...options, log: (line) => log.push(line) }).catch(() => null)
    const client = second === null ? null : await connectClient(second.url, second.token)
    try {
      const owned = await client?.call('write_file', { path: 'src/a.ts', content: 'export const stolen = 1\n' })
      expect(owned?.error?.code ?? 'worker_offline').toBe('worker_offline')
      expect(log.join('\n')).toContain('Cannot open the repository: another worker serves it')
      expect(repository.read('src/a.ts')).toBe('export const a = 1\n')
      expect(stack.pids().worker).toBeDefined()
    } finally {
      await client?.close()
      await second?.stop()
    }
  }, 120_000)

  it('commits what it wrote among more changed files than git_status shows', async () => {
    const { client, repository } = world
    for (let index = 0; index < 1001; index++) repository.write(`crowd/f${index}`, 'x')
    await client.ok('write_file', { path: 'zz.py', content: 'x = 1\n' })
    const { files } = await client.ok('git_commit', { message: 'What was written' })
    expect(files).toContain('zz.py')
  })
})
