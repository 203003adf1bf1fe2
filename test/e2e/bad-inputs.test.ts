import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ProtocolError, SdkHttpError } from '@modelcontextprotocol/client'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ErrorCode } from '#shared/errors.ts'
import { CANARY, createHostileWorld, type HostileWorld, wasRun } from '#test/support/hostile-world.ts'
import type { Fields, ToolAnswer } from '#test/support/mcp.ts'
import { hashTree } from '#test/support/temp-repository.ts'

// The open collection of hostile inputs, areas path, git and registry, against the whole stack. Cases of area mcp are
// about the protocol and stand in mcp-bad-inputs.test.ts.

const Item = v.object({
  id: v.string(),
  area: v.string(),
  surface: v.string(),
  input: v.object({ args: v.optional(v.nullable(v.record(v.string(), v.unknown()))) }),
  expected: v.object({ outcome: v.string(), inv: v.array(v.string()), note: v.optional(v.string()) }),
  setup: v.optional(v.array(v.string())),
})
type Item = v.InferOutput<typeof Item>

const file: unknown = JSON.parse(readFileSync(new URL('../fixtures/bad-inputs.json', import.meta.url), 'utf8'))
const items = v
  .parse(v.object({ items: v.array(v.unknown()) }), file)
  .items.map((item) => v.parse(Item, item))
  .filter((item) => ['path', 'git', 'registry'].includes(item.area))

/** Cases that are more than one call with bad arguments; each has its own test below or where it says. */
const elsewhere: Record<string, string> = {
  P09: 'the race is run in gpu-worker/adapters/node-file-tree.test.ts, 2,000 tries',
  P70: 'JSON carries no invalid UTF-8; half a surrogate pair, its nearest form, is below, and the HTTP body in functions',
  R19: 'rows that cannot be read are corrupted in the test below',
  R14: 'the cap is in the registry contract suite, without 100,001 calls over HTTP',
  R17: 'deleting an agent while its job runs is in test/e2e/jobs.test.ts',
}

interface Call {
  readonly tool: string
  readonly args: unknown
}

/** The calls that a surface of the case file means here: every tool through which the input can come in. */
function toCalls(item: Item, world: HostileWorld): Call[] {
  const args = { ...(world.fill(item.input.args ?? {}) as Fields), ...completed[item.id] }
  return item.surface.split('|').flatMap((surface) => toSurfaceCalls(surface, args))
}

function toSurfaceCalls(surface: string, args: Fields): Call[] {
  const { path, content } = args
  switch (surface) {
    case 'file.read':
      return [{ tool: 'read_file', args: { path } }]
    case 'file.write':
      return [
        {
          tool: 'write_file',
          args: { path, content: content ?? 'raced\n', ...(path === 'src/a.ts' ? { agent_id: 'a1' } : {}) },
        },
        { tool: 'update_file', args: { path, edits: [{ search: CANARY, replace: 'x' }] } },
      ].slice(0, content === undefined ? 2 : 1)
    case 'file.write as ${AGENT}':
      return [
        { tool: 'write_file', args: { path, content: 'x\n', agent_id: 'a1' } },
        { tool: 'write_file', args: { path, content: 'x\n' } },
        { tool: 'delete_file', args: { path, agent_id: 'a1' } },
      ]
    case 'file.delete':
      return [{ tool: 'delete_file', args: { path } }]
    case 'file.list':
      return [{ tool: 'list_files', args: { path } }]
    case 'agent.create.managed_file':
      return [
        { tool: 'create_agent', args: { agent_id: 'probe', name: 'P', managed_file: path, system_prompt: '' } },
        { tool: 'update_agent', args: { agent_id: 'a1', managed_file: path } },
      ]
    case 'agent.create':
      return [{ tool: 'create_agent', args: { system_prompt: '', ...args } }]
    case 'agent.delete':
      return [{ tool: 'delete_agent', args }]
    case 'any tool':
      return [
        { tool: 'get_agent_file', args: { agent_id: 'a1' } },
        { tool: 'agent_update_file', args: { agent_id: 'a1', content: 'x\n' } },
        { tool: 'get_agent_info', args: { agent_id: 'a1' } },
      ]
    case 'git.status':
      // What would run programs for a commit is asked as well, wherever a repository is prepared to have some run.
      return [{ tool: 'git_status', args }, ...(Object.keys(args).length === 0 ? [hooks] : [])]
    case 'git.diff':
      return toDiffCalls(args)
    case 'git.log':
      return toLogCalls(args)
    case 'git.commit':
      return [{ tool: 'git_commit', args: { message: 'm', ...(args.paths ? { agent_id: 'a1' } : {}), ...args } }]
    case 'git.init':
    case 'git.clone':
    case 'git.fetch':
      return [{ tool: surface.replace('.', '_'), args }]
    default:
      throw new Error(`No such surface: ${surface}`)
  }
}

/** In no case a hook of pre-commit is configured, and nobody allowed hook files of git. */
const hooks: Call = { tool: 'run_pre_commit', args: { paths: ['README.md'] } }

/** As it stands in the case, and through the arguments that our tool has for the same thing. */
function toDiffCalls({ target, paths, ...rest }: Fields): Call[] {
  const named = Array.isArray(paths) ? paths : []
  const calls: Call[] = [{ tool: 'git_diff', args: rest }]
  if (target === undefined) return calls
  return [
    { tool: 'git_diff', args: { target, paths } },
    ...(target === 'HEAD'
      ? []
      : [target].flatMap((text) =>
          ['revision', 'cursor', 'path'].map((name) => ({ tool: 'git_diff', args: { [name]: text } })),
        )),
    ...named.map((path) => ({ tool: 'git_diff', args: { revision: 'HEAD', path } })),
  ]
}

function toLogCalls({ ref, max_count }: Fields): Call[] {
  if (max_count !== undefined) return [{ tool: 'git_log', args: { limit: max_count } }]
  return [
    { tool: 'git_log', args: { ref } },
    { tool: 'git_log', args: { cursor: ref } },
    { tool: 'git_log', args: { path: ref } },
    { tool: 'git_diff', args: { revision: ref } },
    { tool: 'git_diff', args: { cursor: ref } },
    { tool: 'run_pre_commit', args: { paths: [ref] } },
  ]
}

/** Arguments that a case leaves to the harness. */
const completed: Record<string, Fields> = { G55: { agent_id: 'ignored' } }

/** What a case takes for granted: something to commit, an agent whose twin is refused. */
const preludes: Record<string, (world: HostileWorld) => Promise<unknown>> = {
  G21: ({ client }) => client.ok('agent_update_file', { agent_id: 'a1', content: 'export const a = 21\n' }),
  R05: ({ client }) =>
    client.ok('create_agent', { agent_id: 'agent1', name: 'Twin', managed_file: 'src/twin.ts', system_prompt: '' }),
}

/** Cases whose repository is sound but for a program that git must not run: there the commit has to be made. */
const commits = new Set(['G36', 'G37', 'G39', 'G40', 'G42', 'G43', 'G51', 'G54'])

/** Puts something before git that is worth a commit, so that the commit of a case is refused for no other reason. */
async function writeSomething({ client, repository }: HostileWorld): Promise<void> {
  const hasAgents = repository.exists('src/a.ts')
  const content = 'export const a = 2\n'
  if (hasAgents) await client.ok('agent_update_file', { agent_id: 'a1', content })
  else await client.ok('write_file', { path: 'first.ts', content })
}

/** A tool that does not exist, or arguments that are no object, are refused by the protocol before any tool is asked. */
async function send(world: HostileWorld, call: Call): Promise<ToolAnswer | 'refused by the protocol'> {
  try {
    return await world.client.call(call.tool, call.args)
  } catch (error) {
    // A client that throws for another reason (the server is gone) must not count as a refusal.
    if (error instanceof ProtocolError || (error instanceof SdkHttpError && error.status === 413)) {
      return 'refused by the protocol'
    }
    throw error
  }
}

function judge(item: Item, call: Call, answer: ToolAnswer | 'refused by the protocol'): void {
  const what = `${item.id} ${call.tool} ${JSON.stringify(call.args)?.slice(0, 200)}`
  if (answer === 'refused by the protocol') {
    expect(item.expected.outcome, what).toMatch(/^reject/)
    return
  }
  if (call === hooks) {
    expect(['not_found', 'unavailable'], `${what}: ${answer.text}`).toContain(answer.error?.code)
    return
  }
  if (item.expected.outcome.startsWith('reject') && !(item.expected.outcome !== 'reject' && answer.success)) {
    expect(answer.error, `${what}: ${answer.text}`).not.toBeNull()
    expect(ErrorCode.options, what).toContain(answer.error?.code)
    expect(answer.error?.code, `${what}: ${answer.error?.message}`).not.toBe('internal')
    expect(answer.error?.message.length, what).toBeGreaterThan(10)
  } else if (item.expected.outcome === 'accept-literal' || commits.has(item.id)) {
    expect(answer.success, `${what}: ${JSON.stringify(answer.error)}`).toBe(true)
  } else {
    // Bounded: an answer or a planned refusal, never our bug.
    expect(answer.error?.code, `${what}: ${answer.error?.message}`).not.toBe('internal')
  }
}

async function checkInvariants(
  item: Item,
  world: HostileWorld,
  before: { repository: string | null; outside: string },
  said: string,
) {
  const invariants = new Set(item.expected.inv)
  const { repository } = world
  if (before.repository !== null)
    expect(world.hashRepository(), `${item.id} changed the repository`).toBe(before.repository)
  if (invariants.has('no_outside_write')) expect(world.hashOutside(), `${item.id} wrote outside`).toBe(before.outside)
  expect(wasRun(world), `${item.id} ran a program`).toBe(false)
  expect(said, `${item.id} read outside`).not.toContain(CANARY)
  if (invariants.has('no_leak') || invariants.has('no_outside_read')) {
    expect(said, `${item.id} told a path of the machine`).not.toContain(repository.folder)
    expect(said, `${item.id} told a stack`).not.toMatch(/\n\s+at .*:\d+:\d+/)
    expect(said, `${item.id} told SQL`).not.toMatch(/\b(insert into|select .* from|sqlite)\b/i)
  }
  if (invariants.has('git_clean')) {
    execFileSync('git', ['-C', repository.root, '-c', 'core.fsmonitor=false', 'fsck', '--no-dangling'], {
      stdio: 'pipe',
    })
  }
  const health = await fetch(new URL('/healthz', world.stack.url))
  expect(health.status, `${item.id}: the edge is not well`).toBe(200)
  await world.client.ok('git_status', {}).catch((error: unknown) => {
    // Some set-ups leave a repository that git tools rightly refuse; the worker must still answer.
    expect(String(error), item.id).not.toMatch(/worker_offline|timeout/)
  })
}

async function runCase(item: Item, world: HostileWorld): Promise<void> {
  await preludes[item.id]?.(world)
  // Of git, whatever is refused must have changed nothing, whether or not the case asks for it.
  const compared =
    item.expected.inv.includes('no_fs_change') || (item.area === 'git' && item.expected.outcome === 'reject')
  const before = { repository: compared ? world.hashRepository() : null, outside: world.hashOutside() }
  const work = item.area === 'git' ? await personsWork(world) : null
  let said = ''
  for (const call of toCalls(item, world)) {
    const answer = await send(world, call)
    said += JSON.stringify(answer)
    judge(item, call, answer)
  }
  if (item.id === 'G55') expect(said, 'G55 says why').toContain('ignore')
  await checkInvariants(item, world, before, withoutEcho(said, world.fill(item.input.args ?? {})))
  if (item.area === 'git')
    expect(await personsWork(world), `${item.id} changed what a person has at work`).toEqual(work)
}

/** What a person has staged, changed and not added, as the person's own git tells it; none of it is ever committed. */
async function personsWork({ repository }: HostileWorld): Promise<unknown> {
  if (!repository.exists('staged.txt')) return null
  const git = (...args: string[]) => repository.git('-c', 'core.fsmonitor=false', ...args).catch(() => 'no repository')
  return [
    await git('diff', '--cached', '--no-ext-diff', '--no-textconv', '--', 'staged.txt'),
    ['staged.txt', 'README.md', 'untracked.txt'].map((name) => repository.read(name)),
  ]
}

/** An answer may repeat what the caller wrote; that tells nobody anything. */
function withoutEcho(said: string, sent: unknown): string {
  if (typeof sent === 'string')
    return said.replaceAll(JSON.stringify(sent).slice(1, -1).replaceAll('"', '\\"'), '').replaceAll(sent, '')
  if (typeof sent !== 'object' || sent === null) return said
  return Object.values(sent).reduce(withoutEcho, said)
}

const plain = items.filter((item) => item.setup === undefined && elsewhere[item.id] === undefined)
const prepared = items.filter((item) => item.setup !== undefined && elsewhere[item.id] === undefined)

describe('hostile inputs that need nothing but the stack', () => {
  let world: HostileWorld
  beforeAll(async () => {
    world = await createHostileWorld()
  })
  afterAll(() => world.stop())

  it.each(plain.map((item) => [item.id, item.expected.note ?? item.surface, item] as const))(
    '%s: %s',
    async (_id, _note, item) => {
      await runCase(item, world)
    },
  )

  it('P70: half a surrogate pair, which UTF-8 cannot carry, is refused and not replaced', async () => {
    const before = world.hashRepository()
    const answer = await world.client.call('write_file', { path: 'src/a.ts', content: 'a\ud800b', agent_id: 'a1' })
    expect(answer.error?.code).toBe('invalid_input')
    expect(world.hashRepository()).toBe(before)
  })

  it('R19: rows that cannot be read are refused by themselves, and others go on', async () => {
    const { client, repository, stack } = world
    await client.ok('create_agent', { agent_id: 'sound', name: 'S', managed_file: 'src/sound.ts', system_prompt: '' })
    const damages = ['version = 99', "name = ''", "managed_file = ''"]
    for (const [index, damage] of damages.entries()) {
      const agent_id = `damaged${index}`
      await client.ok('create_agent', { agent_id, name: 'D', managed_file: `src/d${index}.ts`, system_prompt: '' })
      const database = new DatabaseSync(join(stack.dataFolder, 'edge', 'registry.sqlite'))
      database.exec(`pragma busy_timeout = 5000; update agents set ${damage} where agent_id = '${agent_id}'`)
      database.close()
      const before = hashTree(join(repository.root, 'src'))
      for (const tool of ['get_agent_info', 'get_agent_file', 'agent_update_file', 'chat_with_agent']) {
        const args = { agent_id, ...(tool === 'agent_update_file' ? { content: 'x\n' } : {}) }
        const answer = await client.call(tool, tool === 'chat_with_agent' ? { ...args, message: 'x' } : args)
        expect(answer.error?.code, `${damage} ${tool}`).toBe('unavailable')
      }
      expect(hashTree(join(repository.root, 'src'))).toBe(before)
      expect((await client.ok('get_agent_info', { agent_id: 'sound' })).agent).toMatchObject({ agent_id: 'sound' })
      const listed = (await client.ok('list_agents', {})).agents as { agent_id: string }[]
      expect(listed.map((agent) => agent.agent_id)).toContain('sound')
      // What cannot be read still owns its file, and can be removed.
      const twin = await client.call('write_file', { path: `src/d${index}.ts`, content: 'x\n' })
      expect(twin.error?.code).toBe('not_owner')
      await client.ok('delete_agent', { agent_id })
    }
  })

  it("leaves a person's staged, changed and new files as they were through all of it", async () => {
    expect(await world.repository.git('diff', '--cached', '--name-only')).toBe('staged.txt\n')
    expect(world.repository.read('README.md')).toBe('# Sample, changed\n')
    expect(world.repository.read('untracked.txt')).toBe('untracked\n')
  })
})

describe.concurrent('hostile repositories', () => {
  it.each(prepared.map((item) => [item.id, item.expected.note ?? item.surface, item] as const))(
    '%s: %s',
    async (_id, _note, item) => {
      const world = await createHostileWorld({ empty: item.setup?.[0]?.startsWith('empty repository') ?? false })
      try {
        if (item.surface.includes('git.commit') && item.id !== 'G55') await writeSomething(world)
        for (const step of item.setup ?? []) await world.setUp(step)
        await runCase(item, world)
        if (commits.has(item.id)) {
          const head = await world.repository.git('-c', 'core.fsmonitor=false', 'log', '--format=%s', '-1', 'HEAD')
          expect(head.trim(), `${item.id} made no commit`).toBe('m')
          expect(wasRun(world)).toBe(false)
        }
      } finally {
        await world.stop()
      }
    },
    60_000,
  )
})
