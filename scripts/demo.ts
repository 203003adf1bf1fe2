import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { startStack } from './stack.ts'

// The main job, end to end, on a repository that is made for it and thrown away afterwards: two agents, two files
// written by the embedded model, one commit. Every step is one line; the exit status is 0 only if every step held.

const run = promisify(execFile)
const MODEL_READY_MS = 30_000

interface Step {
  readonly name: string
  readonly ok: boolean
  readonly durationMs: number
  readonly detail: string
}

type Fields = Record<string, unknown>

const steps: Step[] = []

/** Does one step of the demo, says how it went, and ends the demo where it fails. */
async function step<T>(name: string, work: () => Promise<T>, describe: (result: T) => string): Promise<T> {
  const begun = performance.now()
  try {
    const result = await work()
    const detail = describe(result)
    steps.push({ name, ok: true, durationMs: Math.round(performance.now() - begun), detail })
    say(`\n✓ ${name} (${Math.round(performance.now() - begun)} ms)\n${indent(detail)}`)
    return result
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    steps.push({ name, ok: false, durationMs: Math.round(performance.now() - begun), detail })
    say(`\n✗ ${name}\n${indent(detail)}`)
    throw error
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'string' }, keep: { type: 'boolean' } }, strict: true })
  const folder = await mkdtemp(join(tmpdir(), 'millwright-demo-'))
  const begun = performance.now()
  let ok = false
  try {
    await demonstrate(folder)
    ok = true
  } catch {
    // The failing step has said why.
  } finally {
    if (values.keep === true) say(`\nThe sample repository stays in ${join(folder, 'sample')}`)
    else await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  say(`\n${ok ? `All ${steps.length} steps held` : 'The demo failed'} after ${seconds} s`)
  if (values.json !== undefined) {
    await writeFile(
      resolve(process.env.INIT_CWD ?? process.cwd(), values.json),
      `${JSON.stringify({ ok, steps }, null, 2)}\n`,
    )
  }
  process.exitCode = ok ? 0 : 1
}

async function demonstrate(folder: string): Promise<void> {
  const repository = join(folder, 'sample')
  await step(
    'Make a sample repository',
    async () => makeRepository(repository),
    (commit) => `A git repository with one commit, ${commit.slice(0, 12)}`,
  )
  const stack = await step(
    'Start NATS, the functions and the worker',
    () =>
      startStack({
        repository,
        dataFolder: join(folder, 'data'),
        model: 'demo',
        threads: 1,
        port: 0,
        log: () => undefined,
      }),
    ({ url }) => `MCP endpoint ${url}`,
  )
  const client = new Client({ name: 'millwright-demo', version: '1.0.0' })
  try {
    await step(
      'Connect an MCP client and list the tools',
      async () => {
        await client.connect(
          new StreamableHTTPClientTransport(new URL(stack.url), {
            requestInit: { headers: { authorization: `Bearer ${stack.token}` } },
          }),
        )
        return client.listTools()
      },
      ({ tools }) => `${tools.length} tools: ${tools.map((tool) => tool.name).join(', ')}`,
    )
    await step(
      'Wait for the model',
      () => waitForModel(client),
      (detail) => detail,
    )
    await delegate(client, {
      agent_id: 'producer',
      name: 'Data producer',
      managed_file: 'producer.py',
      system_prompt: 'Generate data structures',
      message: 'Create a User model with id, name, email',
      expect: 'class User',
    })
    await delegate(client, {
      agent_id: 'consumer',
      name: 'Data consumer',
      managed_file: 'consumer.py',
      system_prompt: 'Process data from producer',
      message: 'Create API endpoints for the User model',
      context: { producer_file: 'producer.py' },
      expect: 'def create_user',
    })
    await step(
      'A second owner of producer.py is refused',
      async () => {
        const result = await client.callTool({
          name: 'create_agent',
          arguments: { agent_id: 'intruder', name: 'Intruder', managed_file: './producer.py', system_prompt: '' },
        })
        const { error } = (result.structuredContent ?? {}) as { error?: { code: string; message: string } }
        if (error?.code !== 'file_already_managed')
          throw new Error(`Expected file_already_managed, got ${JSON.stringify(error)}`)
        return error
      },
      ({ code, message }) => `${code}: ${message}`,
    )
    const commit = await step(
      'Commit both files',
      async () => {
        const result = await call(client, 'git_commit', { message: 'Add the User model and its endpoints' })
        const files = result.files as string[]
        if (files.toSorted().join() !== 'consumer.py,producer.py') throw new Error(`Committed ${files.join(', ')}`)
        return result
      },
      (result) => `${String(result.commit).slice(0, 12)} on ${result.branch}: ${(result.files as string[]).join(', ')}`,
    )
    await step(
      'git itself sees the commit, and nothing else changed',
      async () => {
        const { stdout: head } = await run('git', ['-C', repository, 'rev-parse', 'HEAD'])
        const { stdout: status } = await run('git', ['-C', repository, 'status', '--porcelain'])
        if (head.trim() !== commit.commit || status !== '') throw new Error(`HEAD ${head.trim()}, status ${status}`)
        return head.trim()
      },
      (head) => `HEAD is ${head.slice(0, 12)}, the work tree is clean`,
    )
  } finally {
    await client.close().catch(() => undefined)
    await stack.stop()
  }
  await step(
    'Both files import and run in Python',
    () => provePython(repository),
    (said) => said,
  )
}

async function makeRepository(repository: string): Promise<string> {
  await mkdir(repository)
  const git = (...args: string[]) => run('git', ['-C', repository, '-c', 'core.hooksPath=/dev/null', ...args])
  await git('init', '--quiet', '--initial-branch=main')
  await git('config', 'user.name', 'Millwright demo')
  await git('config', 'user.email', 'demo@localhost')
  await git('config', 'commit.gpgSign', 'false')
  await writeFile(join(repository, 'README.md'), '# Sample\n\nTwo agents will write two files here.\n')
  await git('add', 'README.md')
  await git('commit', '--quiet', '--message', 'Begin')
  return (await git('rev-parse', 'HEAD')).stdout.trim()
}

interface Delegation {
  readonly agent_id: string
  readonly name: string
  readonly managed_file: string
  readonly system_prompt: string
  readonly message: string
  readonly context?: Record<string, string>
  /** What the file must hold afterwards. */
  readonly expect: string
}

async function delegate(client: Client, task: Delegation): Promise<void> {
  const { agent_id, name, managed_file, system_prompt, message, context, expect } = task
  await step(
    `Create agent ${agent_id} for ${managed_file}`,
    () => call(client, 'create_agent', { agent_id, name, managed_file, system_prompt }),
    () => `The only writer of ${managed_file}`,
  )
  await step(
    `${agent_id}: "${message}"`,
    () => chat(client, { agent_id, message, ...(context === undefined ? {} : { context }) }),
    describeOutcome,
  )
  await step(
    `Read ${managed_file} back`,
    async () => {
      const file = await call(client, 'get_agent_file', { agent_id })
      if (!String(file.content).includes(expect))
        throw new Error(`"${expect}" is not in ${managed_file}:\n${file.content}`)
      return file
    },
    (file) => `${file.line_count} lines, holds "${expect}"`,
  )
}

/** Gives the task and follows the job to its end, however long that takes. */
async function chat(client: Client, args: Fields): Promise<Fields> {
  let result = await call(client, 'chat_with_agent', args)
  while (result.reply === undefined) {
    const job = await call(client, 'get_job', { job_id: result.job_id, wait_seconds: 30 })
    if (job.error !== null) throw new Error(JSON.stringify(job.error))
    if (job.result !== null) result = job.result as Fields
  }
  return result
}

function describeOutcome(outcome: Fields): string {
  const checks = outcome.checks as { passed: boolean; ran: string[] }
  const usage = outcome.usage as Record<string, number | null>
  return [
    String(outcome.diff).trimEnd(),
    `checks ${checks.passed ? 'passed' : 'failed'}: ${checks.ran.join(', ')}; ${outcome.attempts} attempt(s)`,
    `${usage.prompt_tokens} prompt + ${usage.completion_tokens} answer tokens, first token after ${Math.round(usage.time_to_first_token_ms ?? 0)} ms, ${Math.round(usage.tokens_per_second ?? 0)} tokens/s`,
  ].join('\n')
}

/** Calls a tool; a refusal becomes an error that says what the server said. */
async function call(client: Client, name: string, args: Fields): Promise<Fields> {
  const result = await client.callTool({ name, arguments: args })
  const content = (result.structuredContent ?? {}) as Fields
  if (content.success !== true)
    throw new Error(`${name} was refused: ${JSON.stringify(content.error ?? result.content)}`)
  return content
}

async function waitForModel(client: Client): Promise<string> {
  const giveUpAt = performance.now() + MODEL_READY_MS
  for (;;) {
    const info = await call(client, 'get_server_info', {})
    const [worker] = info.workers as { models: { name: string; state: string; detail: string }[] }[]
    const model = worker?.models[0]
    if (model?.state === 'ready') return `${model.name} is ready: ${model.detail}`
    if (model?.state === 'failed' || performance.now() > giveUpAt)
      throw new Error(`The model is not ready: ${model?.detail}`)
    await setTimeout(100)
  }
}

const PROOF = `
import producer, consumer
user = producer.User(1, "Ada", "ada@example.com")
assert (user.id, user.name, user.email) == (1, "Ada", "ada@example.com")
consumer.create_user(user)
print("producer.User works, and consumer has", ", ".join(n for n in dir(consumer) if not n.startswith("_")))
`

async function provePython(repository: string): Promise<string> {
  const version = await run('python3', ['-c', 'import sys; print(sys.version_info >= (3, 10))']).catch(() => null)
  if (version === null) return 'Skipped: there is no python3 on this machine'
  if (version.stdout.trim() !== 'True')
    return 'Skipped: this python3 is older than 3.10, whose type hints the model writes'
  const { stdout } = await run('python3', ['-B', '-c', PROOF], { cwd: repository })
  return stdout.trim()
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}
const indent = (text: string): string => text.replace(/^(?=.)/gm, '  ')

await main()
