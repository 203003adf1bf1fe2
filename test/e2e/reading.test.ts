import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ANSWER_BYTES_MAX } from '#shared/protocol/limits.ts'
import { type AnyClient, clientKinds, connectKind } from '#test/support/client-kinds.ts'
import { hashTree } from '#test/support/temp-repository.ts'
import { startTestStack, type TestStack } from '#test/support/test-stack.ts'

// Resources, prompts and completion on the whole stack, with every kind of client. What a tool would refuse is refused here
// as well, in the words of the tool.

const LONG = 'x'.repeat(ANSWER_BYTES_MAX / 2)
const settings = '{\n  "checks": { "line_limit": { "lines": 123 }, "severities": { "complexity": "off" } }\n}\n'
const invalidParams = -32602

let world: TestStack
beforeAll(async () => {
  world = await startTestStack({
    files: {
      'README.md': '# Sample\n',
      // Behind every ordinary letter in the order of code units.
      'src/t\uff21.md': 'full width\n',
      'src/users.py': 'class User:\n    pass\n',
      'src/user_forms.py': 'fields = []\n',
      'src/deep/er/a.py': 'a = 1\n',
      'src/ignored.log': 'not shown\n',
      'data.json': '{"a": 1}\n',
      'café 100%.md': 'naïve\n',
      'millwright.json': settings,
      '.gitignore': '*.log\nbuild/\n',
    },
  })
  const { repository, client } = world
  repository.write('.env', 'TOKEN=abc\n')
  repository.write('build/out.py', 'b = 1\n')
  repository.write('long.txt', `${LONG}\n${LONG}\n${LONG}\n`)
  writeFileSync(join(repository.root, 'bytes.bin'), new Uint8Array([0, 1, 2, 255]))
  writeFileSync(join(repository.folder, 'outside.txt'), 'outside\n')
  symlinkSync(join(repository.folder, 'outside.txt'), join(repository.root, 'leads-out.txt'))
  symlinkSync('README.md', join(repository.root, 'leads-in.md'))
  await client.ok('create_agent', {
    agent_id: 'users',
    name: 'Users',
    managed_file: 'src/users.py',
    system_prompt: 'P',
  })
  await client.ok('create_agent', { agent_id: 'new', name: 'New', managed_file: 'src/new.md', system_prompt: '' })
  await client.ok('report_bug', { severity: 'low', category: 'docs', title: 'A bug', description: 'D' })
})
afterAll(() => world?.stop())

describe.each(clientKinds)('to a client of the kind %s', (kind) => {
  let client: AnyClient
  const connect = (selector = '') => {
    const { url, token } = world.stack()
    return connectKind(kind, `${url}${selector}`, token)
  }
  beforeAll(async () => {
    client = await connect()
  })
  afterAll(() => client?.close())

  const textOf = async (uri: string): Promise<string> => {
    const contents = await client.readResource(uri)
    expect(contents).toHaveLength(1)
    expect(contents[0]?.uri).toBe(uri)
    return contents[0]?.text ?? ''
  }
  const toolText = async (name: string, args: Record<string, unknown>): Promise<string> =>
    (await client.call(name, args)).content[0]?.text ?? ''
  const refusal = async (work: Promise<unknown>): Promise<{ code: unknown; message: string; data: unknown }> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (!(error instanceof Error)) throw new Error('Was not refused')
    const { code, data } = error as Error & { code?: unknown; data?: unknown }
    return { code, message: error.message, data }
  }

  it('says what it can do, and nothing that it cannot', () => {
    expect(client.capabilities).toEqual({
      tools: {},
      resources: { listChanged: true, subscribe: true },
      prompts: {},
      completions: {},
      extensions: { 'io.modelcontextprotocol/tasks': {} },
    })
    expect(client.instructions).toContain('chat_with_agent')
    expect(client.instructions).toContain('run_tests')
  })

  describe('resources', () => {
    it('are what there is everywhere, and each agent with its file', async () => {
      const listed = await client.listResources()
      expect(listed.map(({ uri }) => uri)).toEqual([
        'millwright://rules',
        'millwright://reports/server',
        'millwright://reports/bugs',
        'millwright://agents/new',
        'millwright://agents/new/file',
        'millwright://agents/users',
        'millwright://agents/users/file',
      ])
      expect(listed.at(-2)).toMatchObject({ name: 'users', title: 'Users', description: 'Agent for src/users.py' })
      expect(listed.at(-1)).toMatchObject({ name: 'src/users.py', mimeType: 'text/plain' })
      for (const { uri, mimeType } of listed) {
        if (uri === 'millwright://agents/new/file') continue
        const [contents] = await client.readResource(uri)
        expect(contents?.mimeType).toBe(mimeType)
        expect(contents?.text).not.toBe('')
      }
    })

    it('of other kinds are addressed by templates', async () => {
      expect((await client.listResourceTemplates()).map(({ uriTemplate }) => uriTemplate)).toEqual([
        'millwright://agents/{agent_id}',
        'millwright://agents/{agent_id}/file',
        'millwright://files/{+path}',
        'millwright://reports/jobs/{job_id}',
        'millwright://reports/jobs/{job_id}/sarif',
      ])
    })

    it('say what the tools say', async () => {
      const { job_id } = await world.client.ok('chat_with_agent', { agent_id: 'users', message: 'A', wait_seconds: 0 })
      await world.client.ok('cancel_job', { job_id })
      await expect
        .poll(async () => (await world.client.ok('get_job', { job_id, wait_seconds: 5 })).state, { timeout: 20_000 })
        .toMatch(/failed|cancelled|succeeded/)
      // What changes between two looks at it cannot be compared.
      await expect.poll(() => toolText('get_server_info', {}), { timeout: 30_000 }).toContain(': ready.')
      for (const [uri, tool, args] of [
        ['millwright://agents/users', 'get_agent_info', { agent_id: 'users' }],
        ['millwright://agents/users/file', 'get_agent_file', { agent_id: 'users' }],
        ['millwright://files/README.md', 'read_file', { path: 'README.md' }],
        ['millwright://files/caf%C3%A9%20100%25.md', 'read_file', { path: 'café 100%.md' }],
        ['millwright://reports/bugs', 'list_bugs', {}],
        ['millwright://reports/server', 'get_server_info', {}],
        [`millwright://reports/jobs/${job_id}`, 'get_job', { job_id }],
      ] as const) {
        expect(await textOf(uri), uri).toBe(await toolText(tool, args))
      }
    })

    it('tell the rules that hold, and where they stand', async () => {
      const text = await textOf('millwright://rules')
      expect(text).toContain('- line_limit (error): code has at most 123 lines')
      expect(text).toContain('- complexity (off): ')
      expect(text).toContain(settings.trimEnd().split('\n')[1])
      world.repository.write('millwright.json', '{"checks": 7}\n')
      expect(await textOf('millwright://rules')).toMatch(/millwright\.json is wrong, .*checks: expected/)
      world.repository.write('millwright.json', settings)
    })

    it('are refused where read_file refuses, for the same reason, and are else the same', async () => {
      for (const path of [
        '.env',
        '.git/config',
        '.GIT/config',
        '../outside.txt',
        '/etc/passwd',
        'src/../../outside.txt',
        'leads-out.txt',
        'leads-in.md',
        'bytes.bin',
        'long.txt',
        'src',
        'nothing.py',
        'src/ignored.log',
        'build/out.py',
        'data.json',
        'a\0b',
        '',
      ]) {
        const uri = `millwright://files/${path.split('/').map(encodeURIComponent).join('/')}`
        const { structuredContent: tool } = await client.call('read_file', { path })
        if (tool.success === true && tool.next_offset === null) {
          expect(await textOf(uri), path).toBe(tool.content)
          continue
        }
        const refused = await refusal(client.readResource(uri))
        const told = (tool.error ?? { code: 'too_large', message: 'Cannot read "long.txt" whole' }) as {
          code: string
          message: string
        }
        expect(refused.message, path).toContain(`${told.code}: ${told.message}`)
        expect(refused.code, path).toBe(invalidParams)
        expect(refused.data, path).toMatchObject(told.code === 'not_found' ? { uri } : { code: told.code })
        expect(JSON.stringify(refused)).not.toContain(world.repository.folder)
      }
    })

    it('that are not there are told as the protocol demands', async () => {
      for (const uri of [
        'millwright://agents/nobody',
        'millwright://agents/nobody/file',
        'millwright://agents/new/file',
        'millwright://reports/jobs/job_01k9zq0000abcdefghjkmnpqrs',
        'millwright://other-workspace/agents/users',
        'millwright://agents/users/other',
        'file:///etc/passwd',
      ]) {
        expect(await refusal(client.readResource(uri)), uri).toMatchObject({ code: invalidParams, data: { uri } })
      }
      for (const uri of ['millwright://agents/%2e%2e', 'millwright://reports/jobs/1', 'millwright://files/%']) {
        const refused = await refusal(client.readResource(uri))
        expect(refused, uri).toMatchObject({ code: invalidParams, data: { code: 'invalid_input' } })
      }
    })
  })

  describe('completion', () => {
    const template = (uri: string) => ({ type: 'ref/resource', uri }) as const
    const files = template('millwright://files/{+path}')
    const values = async (...args: Parameters<AnyClient['complete']>) => (await client.complete(...args)).values

    it('knows agents by id, name and file', async () => {
      for (const uri of ['millwright://agents/{agent_id}', 'millwright://agents/{agent_id}/file']) {
        expect(await client.complete(template(uri), 'agent_id', 'us')).toMatchObject({
          values: ['users'],
          total: 1,
          hasMore: false,
        })
      }
      expect(await values({ type: 'ref/prompt', name: 'delegate' }, 'agent_id', 'src/new')).toEqual(['new'])
      expect(await values({ type: 'ref/prompt', name: 'delegate' }, 'agent_id', '')).toEqual(['new', 'users'])
    })

    it('knows files that can be read, and none that git ignores or that are closed', async () => {
      expect(await values(files, 'path', '')).toEqual([
        '.gitignore',
        'AGENT_bugs.json',
        'README.md',
        'bytes.bin',
        'café 100%.md',
        'data.json',
        'long.txt',
        'millwright.json',
        'src/deep/er/a.py',
        'src/t\uff21.md',
        'src/user_forms.py',
        'src/users.py',
      ])
      expect(await values(files, 'path', 'src/u')).toEqual(['src/user_forms.py', 'src/users.py'])
      expect(await values(files, 'path', 'src/users.py')).toEqual(['src/users.py'])
      expect(await values(files, 'path', 'src/deep')).toEqual(['src/deep/er/a.py'])
      expect(await values(files, 'path', 'cafe\u0301')).toEqual(['café 100%.md'])
      for (const nowhere of [
        '.env',
        '.git/',
        'src/i',
        '../',
        '/etc/',
        'src/nothing/',
        'leads-out',
        'a\0',
        'x'.repeat(5000),
      ]) {
        expect(await values(files, 'path', nowhere), nowhere).toEqual([])
      }
    })

    it('continues the last of several files', async () => {
      const prompt = { type: 'ref/prompt', name: 'plan_feature' } as const
      expect(await values(prompt, 'paths', 'README.md, src/user_')).toEqual(['README.md, src/user_forms.py'])
    })

    it('offers words where people often write the same', async () => {
      expect(await values({ type: 'ref/prompt', name: 'improve' }, 'goal', 'Re')).toEqual(['readability'])
      expect(await values({ type: 'ref/prompt', name: 'delegate' }, 'task', 'x')).toEqual([])
    })

    it('knows jobs', async () => {
      const { jobs } = await world.client.ok('list_jobs', {})
      const ids = (jobs as { job_id: string }[]).map(({ job_id }) => job_id)
      const uri = 'millwright://reports/jobs/{job_id}'
      expect(await values(template(uri), 'job_id', 'job_')).toEqual(ids)
      expect(await values(template(uri), 'job_id', 'x')).toEqual([])
    })

    it('is refused for what has no such argument', async () => {
      for (const [ref, name] of [
        [template('millwright://nothing/{x}'), 'x'],
        [files, 'agent_id'],
        [{ type: 'ref/prompt', name: 'constructor' }, 'x'],
        [{ type: 'ref/prompt', name: 'delegate' }, '__proto__'],
      ] as const) {
        expect(await refusal(client.complete(ref, name, ''))).toMatchObject({ data: { code: 'invalid_input' } })
      }
    })
  })

  describe('prompts', () => {
    it('are listed with their arguments', async () => {
      const listed = await client.listPrompts()
      expect(listed.map(({ name, arguments: all }) => [name, ...all.map((each) => each.name)])).toEqual([
        ['delegate', 'task', 'agent_id', 'path'],
        ['review', 'agent_id', 'path', 'focus'],
        ['improve', 'path', 'agent_id', 'goal'],
        ['plan_feature', 'feature', 'paths'],
      ])
    })

    it('are written for the agent that is named, or that manages the file', async () => {
      const named = 'Agent "users" is the only writer of src/users.py'
      expect(await client.getPrompt('delegate', { task: 'Add an email', agent_id: 'users' })).toContain(named)
      const text = await client.getPrompt('delegate', { task: 'Add an email', path: 'src/users.py' })
      expect(text).toContain(named)
      expect(text).toContain('> Add an email')
      expect(await client.getPrompt('review', { path: 'src/users.py' })).toContain('git_diff with path "src/users.py"')
      const free = await client.getPrompt('improve', { path: 'src/user_forms.py', agent_id: ' ' })
      expect(free).toContain('create_agent with a short agent_id, managed_file "src/user_forms.py"')
      expect(await client.getPrompt('plan_feature', { feature: 'Sign-in' })).toContain('> Sign-in')
    })

    it('are refused with arguments that they do not take', async () => {
      const refused = (name: string, args: Record<string, string>) => refusal(client.getPrompt(name, args))
      expect(await refused('delegate', {})).toMatchObject({
        code: invalidParams,
        message: expect.stringContaining('task is missing. It takes task, [agent_id], [path]'),
        data: { code: 'invalid_input' },
      })
      expect(await refused('delegate', { task: ' ' })).toMatchObject({ data: { code: 'invalid_input' } })
      expect(await refused('delegate', { task: 'x', other: 'y' })).toMatchObject({ data: { code: 'invalid_input' } })
      expect(await refused('delegate', { task: 'x'.repeat(60_001) })).toMatchObject({ data: { code: 'invalid_input' } })
      const both = { task: 'x', agent_id: 'users' }
      expect(await refused('delegate', { ...both, path: 'README.md' })).toMatchObject({
        message: expect.stringContaining('manages "src/users.py", not the file in path'),
        data: { code: 'invalid_input' },
      })
      expect(await client.getPrompt('delegate', { ...both, path: 'src/users.py' })).toContain('Agent "users"')
      expect(await refused('delegate', { task: 'x', agent_id: 'nobody' })).toMatchObject({
        code: invalidParams,
        data: { code: 'not_found' },
      })
      expect(await refused('constructor', {})).toMatchObject({
        code: invalidParams,
        message: expect.stringContaining('Unknown prompt: constructor'),
      })
    })

    it('are shown to who has the tools that they need', async () => {
      const core = await connect('?tools=core')
      const git = await connect('?tools=git')
      try {
        expect(await core.listPrompts()).toEqual(await client.listPrompts())
        expect(await git.listPrompts()).toEqual([])
        expect(core.instructions).not.toContain('run_tests')
        expect((await refusal(git.getPrompt('delegate', { task: 'x' }))).message).toContain('Unknown prompt')
        expect(await git.listResources()).toEqual(await client.listResources())
      } finally {
        await core.close()
        await git.close()
      }
    })
  })

  it('reading changes nothing', async () => {
    const before = hashTree(world.repository.root)
    for (const { uri } of await client.listResources()) await client.readResource(uri).catch(() => undefined)
    await client.complete({ type: 'ref/resource', uri: 'millwright://files/{+path}' }, 'path', '')
    for (const name of ['review', 'improve']) await client.getPrompt(name, {})
    expect(hashTree(world.repository.root)).toBe(before)
  })
})
