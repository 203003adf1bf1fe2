import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import { type LiveStack, startLiveStack } from '#test/support/live-stack.ts'
import { type OpenAiServer, startOpenAiServer } from '#test/support/openai-server.ts'
import { createScriptedModel, type ScriptedModel } from '#test/support/scripted-model.ts'

// The commands of millwright.json over MCP: the worker as it is, with the real sandbox, and a model that says what it is told.

const bubblewrap = await findBubblewrapForTests()
const title = 'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''
const block = (text: string): string => `\`\`\`python\n${text}\`\`\``
const bad = 'def total(items):\n    return items\n'
const good = 'def total(items):\n    return sum(items)\n'
/** A test of the repository: the file in question is imported and tried. */
const trial = `import importlib.util, sys
spec = importlib.util.spec_from_file_location('subject', sys.argv[1])
subject = importlib.util.module_from_spec(spec)
spec.loader.exec_module(subject)
found = subject.total([1, 2])
sys.exit(0 if found == 3 else f'total([1, 2]) is {found}, not 3')
`

describe.skipIf('missing' in bubblewrap)(`a repository with commands${title}`, { timeout: 60_000 }, () => {
  let model: ScriptedModel
  let server: OpenAiServer
  let live: LiveStack
  const before = process.env.MILLWRIGHT_BWRAP
  beforeAll(async () => {
    if ('binary' in bubblewrap) process.env.MILLWRIGHT_BWRAP = bubblewrap.binary
    model = createScriptedModel([block(bad), block(good), block(bad)])
    server = await startOpenAiServer({ model })
    live = await startLiveStack({ model: [`openai:${server.url}#demo`] })
    live.repository.write('trial.py', trial)
    live.repository.write('.env', 'TOKEN=topsecret\n')
    const trialCommand = { name: 'trial', run: ['/usr/bin/python3', 'trial.py', '{file}'], files: 'src/*.py' }
    const leak = { name: 'leak', run: ['cat', '.env'], files: 'leak.txt' }
    const broken = { name: 'gone', run: ['no-such-program'], files: 'gone.txt' }
    live.repository.write('millwright.json', JSON.stringify({ checks: { commands: [trialCommand, leak, broken] } }))
    for (const agent_id of ['sums', 'wrong', 'gone']) {
      const managed_file = agent_id === 'gone' ? 'gone.txt' : `src/${agent_id}.py`
      await live.client.ok('create_agent', {
        agent_id,
        name: agent_id,
        managed_file,
        system_prompt: 'You write Python',
      })
    }
  })
  afterAll(async () => {
    if (before === undefined) delete process.env.MILLWRIGHT_BWRAP
    else process.env.MILLWRIGHT_BWRAP = before
    await live?.stop()
    await server?.close()
  })

  it('has an edit that fails one mended in the next round', async () => {
    const result = await live.client.ok('chat_with_agent', { agent_id: 'sums', message: 'Write total(items)' })
    expect(result).toMatchObject({ changed: true, attempts: 2, checks: { passed: true, violations: [] } })
    expect(result.checks).toMatchObject({ ran: expect.arrayContaining(['command:trial']) })
    expect(live.repository.read('src/sums.py')).toBe(good)
    const [first, second] = model.requests
    expect(first?.turns.at(-1)?.text).toContain('- `/usr/bin/python3 trial.py src/sums.py` succeeds\n')
    expect(second?.turns.at(-1)?.text).toBe(
      [
        '### Checks failed',
        '- command:trial: `/usr/bin/python3 trial.py src/sums.py` failed with exit status 1: mend the file so that it passes. It printed:',
        '    total([1, 2]) is [1, 2], not 3',
        '',
        '### Task',
        'Fix these and answer with the complete file again.',
      ].join('\n'),
    )
  })

  it('refuses an edit that never passes, and keeps the file as it was', async () => {
    const refused = await live.client.call('chat_with_agent', { agent_id: 'wrong', message: 'Write total(items)' })
    expect(refused.error).toMatchObject({
      code: 'checks_failed',
      details: { attempts: 2, checks: { passed: false, violations: [{ rule: 'command:trial', severity: 'error' }] } },
    })
    expect(live.repository.exists('src/wrong.py')).toBe(false)
  })

  it('judges what a caller writes by hand in the same way', async () => {
    const file = { path: 'src/hand.py', content: bad }
    expect((await live.client.call('write_file', file)).error?.message).toContain('total([1, 2]) is [1, 2], not 3')
    expect(live.repository.exists('src/hand.py')).toBe(false)
    expect(await live.client.ok('validate_file', { content: bad, file_path: 'src/hand.py' })).toMatchObject({
      passed: false,
      violations: [{ rule: 'command:trial' }],
    })
    expect((await live.client.ok('write_file', { ...file, content: good })).changed).toBe(true)
  })

  it('tells a caller nothing of what callers may not read', async () => {
    const answer = await live.client.ok('write_file', { path: 'leak.txt', content: 'x\n' })
    expect(answer.checks).toMatchObject({ ran: expect.arrayContaining(['command:leak']) })
    expect(JSON.stringify(answer)).not.toContain('topsecret')
  })

  it('asks the model nothing where a required command cannot run', async () => {
    const asked = model.requests.length
    const refused = await live.client.call('chat_with_agent', { agent_id: 'gone', message: 'Write it' })
    expect(refused.error).toMatchObject({
      code: 'checks_failed',
      message: expect.stringContaining('the program no-such-program was not found'),
    })
    expect(model.requests.length).toBe(asked)
  })

  it('says in get_server_info which required commands cannot run here, and why', async () => {
    const { workers } = await live.client.ok('get_server_info', {})
    const notices = (workers as { notices: string[] }[]).flatMap((worker) => worker.notices)
    expect(notices.filter((notice) => notice.includes('millwright.json'))).toEqual([
      'The command "gone", which millwright.json requires, cannot run, so its files are refused: the program no-such-program was not found: install it in the repository or on the system',
    ])
  })

  it('lets no agent own or write the configuration', async () => {
    const agent = { agent_id: 'conf', name: 'conf', managed_file: 'millwright.json', system_prompt: '' }
    expect((await live.client.call('create_agent', agent)).error?.code).toBe('protected_path')
    for (const path of ['millwright.json', 'MILLWRIGHT.json', './millwright.json'])
      expect((await live.client.call('write_file', { path, content: '{}' })).error?.code).toBe('protected_path')
    expect((await live.client.call('delete_file', { path: 'millwright.json' })).error?.code).toBe('protected_path')
  })
})
