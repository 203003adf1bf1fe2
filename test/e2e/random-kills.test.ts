import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { acquireStackLock } from '#scripts/stack-lock.ts'
import { processEnded } from '#scripts/test-support/process-ended.ts'
import { countQueued } from '#test/support/job-queue.ts'
import {
  dataFolderOf,
  type EndedJob,
  jobEnd,
  type LiveStack,
  modelIsReady,
  startLiveStack,
  until,
} from '#test/support/live-stack.ts'
import type { Fields } from '#test/support/mcp.ts'
import { modelProcessesOf } from '#test/support/processes.ts'
import { createSeededRandom, type SeededRandom } from '#test/support/seeded-random.ts'
import { readUnreported, readWrites } from '#test/support/worker-journal.ts'

// kill -9 of the worker, of the model's process and of NATS, ten times each, at random moments of real jobs of several
// agents. Whatever is killed when: each job ends once, and files, history and records agree with what it says.

/** Repeats a run's moments and order: MILLWRIGHT_KILLS_SEED=123 npx vitest run test/e2e/random-kills.test.ts */
const SEED = Number(process.env.MILLWRIGHT_KILLS_SEED ?? Math.floor(Math.random() * 1_000_000))
const KINDS = ['worker', 'model', 'nats'] as const
type Kind = (typeof KINDS)[number]
/** In each of the two stacks. */
const KILLS_OF_EACH = 5
/** Longer than a job takes: some kills come when one of the two has ended already. */
const MOMENT_MS_MAX = 900
/** About one minute on two idle cores; a busy machine takes its time for sixty starts of processes. */
const TEST_MS = 300_000
const notePath = (round: number): string => `notes-${round}.txt`
/** Large enough for a half write to show. */
const note = (word: string): string => `${word}\n`.repeat(10_000)
const notes = Object.fromEntries(
  Array.from({ length: KINDS.length * KILLS_OF_EACH }, (_, round) => [notePath(round), note('old')]),
)
/** What a caller is told while a part is away. */
const PASSING = new Set(['worker_offline', 'unavailable', 'timeout', 'busy', 'model_unavailable'])

interface World {
  readonly live: LiveStack
  readonly random: SeededRandom
  /** All processes of the stack that there ever were. */
  readonly processes: Set<number>
  readonly jobs: SubmittedJob[]
  /** One for each round, of files that were there before. */
  readonly writes: Promise<WrittenFile>[]
}

interface WrittenFile {
  readonly path: string
  /** Every content that may be there. */
  readonly allowed: readonly string[]
}

interface SubmittedJob {
  readonly id: string
  readonly agent: string
  readonly kind: 'create' | 'extend' | 'revert'
}

describe.concurrent(`kill -9 at random moments (MILLWRIGHT_KILLS_SEED=${SEED})`, { timeout: TEST_MS }, () => {
  it.each([0, 1])('leaves jobs, files and records whole, in stack %i', async (stack) => {
    // Parts come back at once: how long the supervisor waits between the deaths of a part is tested beside it.
    const backoff = { firstMs: 100, maxMs: 100, healthyMs: 60_000 }
    const live = await startLiveStack({ model: 'demo', backoff, files: notes })
    const random = createSeededRandom(SEED + stack)
    const world: World = { live, random, processes: new Set(), jobs: [], writes: [] }
    try {
      const kinds = random.shuffle(KINDS.flatMap((kind) => Array.from({ length: KILLS_OF_EACH }, () => kind)))
      for (const [round, kind] of kinds.entries()) await killInTheMiddle(world, round, kind)
      await modelIsReady(live.client)
      const ended = await endOfAll(world)
      expectJobsToBeWhole(world, ended)
      await expectFilesToBeWhole(world, ended)
      await expectRecordsToBeSettled(world)
      rememberProcesses(world)
    } finally {
      await live.client.close().catch(() => undefined)
      await live.stack.stop()
    }
    try {
      await Promise.all([...world.processes].map(processEnded))
      // Throws where somebody still holds the data folder.
      acquireStackLock(dataFolderOf(live.repository)).release()
    } finally {
      live.repository.remove()
    }
  })
})

/** Two agents get work, a call writes a file, and at some moment one part is killed. Nobody waits for how they end. */
async function killInTheMiddle(world: World, round: number, kind: Kind): Promise<void> {
  const { live, random } = world
  const agents = ['one', 'two'].map((name) => `${name}${String(round).padStart(2, '0')}`)
  for (const agent of agents) await persist(world, 'create_agent', agentNamed(agent))
  for (const agent of agents)
    await submit(world, agent, 'create', { message: 'Create a User model with id, name, email' })
  await submitSecondTask(world)
  await modelIsReady(live.client)
  rememberProcesses(world)
  world.writes.push(writeFile(live, round))
  await setTimeout(random.below(MOMENT_MS_MAX))
  const pid = await processOf(world, kind)
  process.kill(pid, 'SIGKILL')
  await until(() => Object.keys(live.stack.pids()).length === 3 && !Object.values(live.stack.pids()).includes(pid))
}

const agentNamed = (agent_id: string): Fields => ({
  agent_id,
  name: agent_id,
  managed_file: `${agent_id}.py`,
  system_prompt: 'Generate data structures',
})

/** One job of an earlier round, whose agent has no other under way, is built upon or taken back. */
async function submitSecondTask(world: World): Promise<void> {
  const { live, jobs, random } = world
  for (const { id, agent, kind } of jobs) {
    if (kind !== 'create' || jobs.some((other) => other.agent === agent && other.kind !== 'create')) continue
    const { state } = await live.client.ok('get_job', { job_id: id })
    if (state !== 'succeeded') continue
    if (random.below(2) === 0) await submit(world, agent, 'extend', { message: 'Add a field age to User' })
    else await submit(world, agent, 'revert', { message: 'Take it back', revert: id })
    return
  }
}

async function submit(world: World, agent_id: string, kind: SubmittedJob['kind'], task: Fields): Promise<void> {
  // However often it is asked for, it is one job.
  const idempotency_key = `${kind}-${agent_id}`
  const { job_id } = await persist(world, 'chat_with_agent', { agent_id, wait_seconds: 0, idempotency_key, ...task })
  world.jobs.push({ id: String(job_id), agent: agent_id, kind })
}

/** Asks until it is not refused for what passes. What was done although the answer was lost counts as done. */
async function persist({ live }: World, tool: string, args: Fields): Promise<Fields> {
  for (;;) {
    const { success, fields, error } = await live.client.call(tool, args)
    if (success || error?.code === 'already_exists') return fields
    if (error === null || !PASSING.has(error.code)) throw new Error(`${tool} was refused: ${JSON.stringify(error)}`)
    await setTimeout(100)
  }
}

async function writeFile({ client }: LiveStack, round: number): Promise<WrittenFile> {
  const [path, content] = [notePath(round), note('new')]
  const { success } = await client.call('write_file', { path, content })
  // Without an answer it may have happened or not.
  return { path, allowed: success ? [content] : [note('old'), content] }
}

async function processOf({ live }: World, kind: Kind): Promise<number> {
  let found: number | undefined
  await until(() => {
    const { worker, nats } = live.stack.pids()
    found = kind === 'nats' ? nats : kind === 'worker' || worker === undefined ? worker : modelProcessesOf(worker)[0]
    return found !== undefined
  })
  return found ?? Number.NaN
}

function rememberProcesses({ live, processes }: World): void {
  const pids = live.stack.pids()
  for (const pid of Object.values(pids)) processes.add(pid)
  if (pids.worker !== undefined) for (const pid of modelProcessesOf(pids.worker)) processes.add(pid)
}

async function endOfAll({ live, jobs }: World): Promise<Map<string, EndedJob>> {
  return new Map(await Promise.all(jobs.map(async ({ id }) => [id, await jobEnd(live.client, id)] as const)))
}

/** One outcome each, which stays; success unless its own two attempts at the model were killed; one write for each success. */
function expectJobsToBeWhole({ live, jobs }: World, ended: ReadonlyMap<string, EndedJob>): void {
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(jobs.length)
  const writes = readWrites(live.repository)
  expect(writes.filter(({ state }) => state === 'begun')).toEqual([])
  for (const { id, agent, kind } of jobs) {
    const { state, error } = ended.get(id) ?? {}
    const what = `${kind} of ${agent}: ${state} ${JSON.stringify(error)}`
    if (state !== 'succeeded') expect([state, error?.code], what).toEqual(['failed', 'model_unavailable'])
    const landed = writes.filter((write) => write.job_id === id && write.state === 'landed')
    expect(landed.length, what).toBe(state === 'succeeded' ? 1 : 0)
  }
}

async function expectFilesToBeWhole(world: World, ended: ReadonlyMap<string, EndedJob>): Promise<void> {
  const { live, jobs, writes } = world
  const { repository } = live
  for (const agent of new Set(jobs.map((job) => job.agent))) {
    const path = `${agent}.py`
    // What the last job that succeeded says is there, and what it says that it added, are there to the byte.
    const results = jobs.filter((job) => job.agent === agent).map(({ id }) => ended.get(id)?.result ?? null)
    const last = results.filter((result) => result !== null).at(-1)
    if (last === undefined || last.sha256 === null) {
      expect(repository.exists(path), path).toBe(false)
      continue
    }
    const text = repository.read(path)
    expect(sha256(text), `${path}: ${text}`).toBe(last.sha256)
    expect(text, path).toContain('class User')
    if (results.length === 1) expect(addedLines(String(last.diff)), path).toBe(text)
  }
  for (const { path, allowed } of await Promise.all(writes)) {
    expect(allowed.includes(repository.read(path)), `${path} holds what nobody wrote`).toBe(true)
  }
  const names = readdirSync(repository.root, { recursive: true }).map(String)
  expect(names.filter((name) => /(^|\/)\.millwright-|^\.git\/(?!millwright\.lock$).*\.lock$/.test(name))).toEqual([])
  expect(await repository.git('fsck', '--strict', '--no-dangling')).toBe('')
  await repository.git('add', '--all')
}

/** The registry says the same to whoever asks again; no message and no outcome waits for anybody. */
async function expectRecordsToBeSettled({ live, jobs }: World): Promise<void> {
  const first = await Promise.all(jobs.map(({ id }) => live.client.ok('get_job', { job_id: id })))
  // A message that was delivered to a killed worker comes again once its time has run out.
  await until(async () => (await countQueued(live.stack)) === 0, 40_000)
  await until(() => readUnreported(live.repository).length === 0)
  expect(await Promise.all(jobs.map(({ id }) => live.client.ok('get_job', { job_id: id })))).toEqual(first)
  for (const state of ['queued', 'running']) expect((await live.client.ok('list_jobs', { state })).jobs).toEqual([])
  expect((await live.client.ok('list_jobs', { limit: 200 })).jobs).toHaveLength(jobs.length)
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Of the diff of a new file. */
const addedLines = (diff: string): string =>
  diff
    .split('\n')
    .filter((line) => line.startsWith('+') && !line.startsWith('+++'))
    .map((line) => `${line.slice(1)}\n`)
    .join('')
