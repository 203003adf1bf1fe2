import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import * as v from 'valibot'
import { OrchestrationReport } from '#shared/schemas/orchestration.ts'
import { reportToText } from '#shared/tools/orchestrate.ts'
import { createAnsweringModel } from '#test/support/answering-model.ts'
import { connectClient, type TestClient } from '#test/support/mcp.ts'
import { startOpenAiServer } from '#test/support/openai-server.ts'
import { answerInPython } from './show/python-script.ts'
import { unpackSource } from './show/source-package.ts'
import { startStack } from './stack.ts'

// An orchestrated improvement of a real open-source Python package: its source from the machine's own Debian archive, a temporary
// repository, the whole stack, and at the end the package's own tests, run outside of all of it. The model is a scripted one
// unless MILLWRIGHT_MODEL names another.

const run = promisify(execFile)
const PACKAGE = { name: 'python-colorama', paths: 'colorama' }
const GOAL = 'Document what is public, simplify what is nested, and test what has no tests'

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      package: { type: 'string', default: PACKAGE.name },
      paths: { type: 'string' },
      goal: { type: 'string', default: GOAL },
      iterations: { type: 'string', default: '40' },
      minutes: { type: 'string', default: '30' },
      keep: { type: 'boolean', default: false },
    },
    strict: true,
  })
  const folder = await mkdtemp(join(tmpdir(), 'millwright-show-'))
  const repository = join(folder, 'package')
  try {
    say(`Fetching the source of ${values.package}`)
    await unpackSource(values.package, join(folder, 'apt'), repository)
    await makeRepository(repository)
    // Beside it, so that what is compared at the end is what was there at the beginning.
    await cp(repository, join(folder, 'before'), { recursive: true })
    const before = await runTests(join(folder, 'before'))
    say(`Its own tests, before: ${before}`)
    await showPython()
    const paths = values.paths ?? (values.package === PACKAGE.name ? PACKAGE.paths : undefined)
    const report = await improve(folder, repository, {
      goal: values.goal,
      ...(paths === undefined ? {} : { paths: paths.split(',') }),
      budget: { iterations: Number(values.iterations), minutes: Number(values.minutes) },
    })
    say(`\n${reportToText(report)}\n`)
    const after = await runTests(repository)
    say(`Its own tests, after: ${after}`)
    say((await git(repository, 'diff', '--stat')).trimEnd())
    say((await git(repository, 'status', '--porcelain')).trimEnd())
    return report.kept > 0 && passed(after) >= passed(before)
  } finally {
    if (values.keep) say(`The package stays in ${repository}`)
    else await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function improve(
  folder: string,
  repository: string,
  args: Record<string, unknown>,
): Promise<OrchestrationReport> {
  const configured = process.env.MILLWRIGHT_MODEL ?? ''
  const server =
    configured === ''
      ? await startOpenAiServer({ model: createAnsweringModel((asked) => answerInPython(asked)) })
      : null
  const model = server === null ? configured : `openai:${server.url}#demo`
  const stack = await startStack({
    repository,
    dataFolder: join(folder, 'data'),
    model,
    threads: 1,
    port: 0,
    log: () => undefined,
  })
  const client = await connectClient(stack.url, stack.token)
  try {
    say(`Improving it with ${server === null ? `the model ${configured}` : 'a scripted model'}`)
    const { job_id } = await client.ok('orchestrate_improvement', { ...args, wait_seconds: 0 })
    return await follow(client, String(job_id))
  } finally {
    await client.close().catch(() => undefined)
    await stack.stop()
    await server?.close()
  }
}

/** Tells each new message of the job until it ends. */
async function follow(client: TestClient, job_id: string): Promise<OrchestrationReport> {
  let told = ''
  for (;;) {
    const { state, progress, result, error } = await client.ok('get_job', { job_id, wait_seconds: 2 })
    const message = (progress as { message?: string } | null)?.message?.replace(/: [^:]*$/, '') ?? ''
    if (message !== told && message !== '') say(`  ${message}`)
    told = message
    if (state === 'succeeded') return v.parse(OrchestrationReport, result)
    if (state !== 'queued' && state !== 'running') {
      const report = v.safeParse(OrchestrationReport, (error as { details?: Record<string, unknown> }).details?.report)
      if (report.success) return report.output
      throw new Error(`The job ${state}: ${JSON.stringify(error)}`)
    }
  }
}

async function makeRepository(repository: string): Promise<void> {
  // The scripted model knows whole files only.
  await writeFile(join(repository, 'millwright.json'), '{ "answers": { "edits_above_lines": 100000 } }\n')
  if (!existsSync(join(repository, 'pyproject.toml')) && !existsSync(join(repository, 'setup.cfg'))) {
    await writeFile(join(repository, 'pytest.ini'), '[pytest]\n')
  }
  await git(repository, 'init', '--quiet', '--initial-branch=main')
  await git(repository, 'add', '--all')
  await git(repository, 'commit', '--quiet', '--message', 'As it was')
}

async function git(repository: string, ...args: string[]): Promise<string> {
  const identity = ['-c', 'user.name=Millwright show', '-c', 'user.email=show@localhost', '-c', 'commit.gpgSign=false']
  const safe = ['-c', 'core.hooksPath=/dev/null', ...identity]
  return (await run('git', ['-C', repository, ...safe, ...args])).stdout
}

/** The sandbox shows the system's programs; a Python of somebody's own is named to it, as an operator would. */
async function showPython(): Promise<void> {
  const { stdout } = await run('python3', ['-c', 'import sys; print(sys.base_prefix)'])
  const prefix = stdout.trim()
  if (prefix !== '/usr') process.env.MILLWRIGHT_COMMAND_FOLDERS ??= prefix
}

/** The summary line of pytest, whatever its exit status. */
async function runTests(folder: string): Promise<string> {
  const args = ['-B', '-m', 'pytest', '-q', '-p', 'no:cacheprovider']
  const said = await run('python3', args, { cwd: folder }).catch((error: { stdout?: string }) => ({
    stdout: error.stdout ?? '',
  }))
  return said.stdout.trim().split('\n').at(-1) ?? ''
}

const passed = (summary: string): number => Number(/(\d+) passed/.exec(summary)?.[1] ?? 0)

const say = (text: string): void => {
  if (text !== '') process.stdout.write(`${text}\n`)
}

process.exitCode = (await main()) ? 0 : 1
