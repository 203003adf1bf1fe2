import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import * as v from 'valibot'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { MachineIdentity } from '#gpu-worker/adapters/machine-identity.ts'
import { findNatsServer } from '#scripts/nats-binary.ts'
import { connectNats } from '#scripts/nats-connect.ts'
import { type NatsServer, startNatsServer } from '#scripts/nats-server.ts'
import { ensureStreams } from '#scripts/nats-streams.ts'
import { AppError } from '#shared/errors.ts'
import { type JobId, toWorkspaceId, type WorkspaceId } from '#shared/ids.ts'
import {
  CallEnvelope,
  ClaimJobReply,
  decodeMessage,
  FindOwnersReply,
  FinishJobReply,
  JobMessage,
  MaybeRefused,
} from '#shared/protocol/envelope.ts'
import { JOBS_QUEUED_MAX } from '#shared/protocol/limits.ts'
import {
  callFamilies,
  callSubject,
  cancelSubject,
  JOBS_STREAM,
  jobSubject,
  jobsConsumer,
  type RegistryOperation,
  WORKER_INBOX,
} from '#shared/protocol/subjects.ts'
import type { JobOutcome } from '#shared/schemas/job.ts'
import { catalogue } from '#shared/tools/catalogue.ts'
import { type SignedQuestion, sendQuestion, signQuestion, unsigned } from '#test/support/ask-registry.ts'
import { machineOf } from '#test/support/edge-key.ts'
import { edgeRuntime } from '#test/support/edge-runtime.ts'
import { startEdgeServer } from '#test/support/edge-server.ts'
import { callMessage, modernMessage, postMessage } from '#test/support/mcp-message.ts'
import type { EdgeServer } from './entry.node.ts'

// The edge as it runs, with a real NATS server and both generations of clients. The worker is played by this file: it
// speaks the wire's contract, and each test says what it answers.

let folder: string
let nats: NatsServer
let workspaceCount = 0
const cleanups: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-edge-'))
  nats = await startNatsServer({
    binary: await findNatsServer(),
    dataFolder: join(folder, 'nats'),
    webSocketPort: 0,
  })
})

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

afterAll(async () => {
  await nats.stop()
  rmSync(folder, { recursive: true })
})

interface Stack {
  edge: EdgeServer
  workspace: WorkspaceId
}

const dataFolder = (workspace: WorkspaceId): string => join(folder, `data-${workspace}`)

/** An edge of a workspace, connected or not. */
async function startEdge(workspace: WorkspaceId, server = nats): Promise<EdgeServer> {
  const edge = await startEdgeServer({
    workspace,
    folder: dataFolder(workspace),
    natsUrl: server.url('edge'),
    natsWebSocketUrl: server.webSocketUrl('edge'),
  })
  cleanups.push(() => edge.close())
  return edge
}

/** An edge of its own workspace, connected. */
async function startStack(): Promise<Stack> {
  workspaceCount++
  const workspace = toWorkspaceId(`edge-${process.pid}-${workspaceCount}`)
  await ensureStreams(nats.url('admin'), [workspace])
  const edge = await startEdge(workspace)
  await expect.poll(async () => (await health(edge)).nats, { interval: 10 }).toBe(true)
  return { edge, workspace }
}

const Health = v.object({ status: v.string(), registry: v.boolean(), nats: v.boolean() })
const health = async (edge: EdgeServer) => v.parse(Health, await (await fetch(`${edge.url}/healthz`)).json())

const workerInfo = {
  worker_id: 'w1',
  version: '0.0.0',
  repository: 'sample',
  started_at: '2026-01-01T00:00:00.000Z',
  models: [],
  gpu: null,
  memory: { daemon_bytes: 1, model_bytes: null, machine_bytes: 1 },
  jobs_running: 0,
  notices: [],
}

const fileAnswer = { path: 'a.py', content: 'x = 1\n', sha256: 'a'.repeat(64), line_count: 1, next_offset: null }

type Answers = Record<string, (envelope: CallEnvelope) => unknown>

/** Plays a worker's calls. Throwing an AppError is a refusal; returning undefined is silence. */
async function startWorker(workspace: WorkspaceId, answers: Answers = {}): Promise<NatsConnection> {
  const connection = await connectNats(nats.url('worker'), { name: 'worker', inboxPrefix: WORKER_INBOX })
  cleanups.push(() => connection.close())
  const all: Answers = {
    worker_info: () => workerInfo,
    prepare_agent: ({ args }) => ({ path: args.managed_file, file_key: String(args.managed_file).toLowerCase() }),
    file_state: () => ({ exists: true, line_count: 3, sha256: 'b'.repeat(64) }),
    read_file: () => fileAnswer,
    ...answers,
  }
  for (const family of callFamilies) {
    connection.subscribe(callSubject(workspace, family), {
      callback: (_error, message) => {
        const envelope = decodeMessage('a call', CallEnvelope, message.data)
        const respond = (reply: object) => message.respond(JSON.stringify({ v: 1, id: envelope.id, ...reply }))
        try {
          const result = all[envelope.tool]?.(envelope)
          if (result !== undefined) respond({ ok: true, result })
        } catch (error) {
          if (error instanceof AppError) respond({ ok: false, error: error.toWire() })
        }
      },
    })
  }
  await connection.flush()
  return connection
}

/** The worker's side of one job. */
function workerSide(connection: NatsConnection, workspace: WorkspaceId) {
  let machine: Promise<MachineIdentity> | undefined
  const ask = async <const S extends v.GenericSchema>(operation: RegistryOperation, question: object, schema: S) => {
    machine ??= machineOf(dataFolder(workspace), workspace)
    const reply = await sendQuestion(connection, signQuestion(await machine, workspace, operation, question))
    return decodeMessage('a reply', schema, reply.data)
  }
  return {
    /** Takes the next message off the queue. */
    async take() {
      const consumer = await jetstream(connection).consumers.get(JOBS_STREAM, jobsConsumer(workspace))
      const message = await consumer.next({ expires: 10_000 })
      if (message === null) throw new Error('No job came')
      const { job_id } = decodeMessage('a job', JobMessage, message.data)
      return { job_id, ack: () => message.ackAck() }
    },
    async claim(job: JobId) {
      const reply = await ask('claim_job', { job_id: job, worker_id: 'w1' }, ClaimJobReply)
      if (reply.claim !== 'run') throw new Error('The job was settled')
      return reply
    },
    claimReply: (job: JobId) => ask('claim_job', { job_id: job, worker_id: 'w1' }, ClaimJobReply),
    finish: async (job: JobId, fence: number, outcome: JobOutcome) =>
      (await ask('finish_job', { job_id: job, fence, outcome }, FinishJobReply)).accepted,
    owners: async (keys: string[]) => (await ask('find_owners', { file_keys: keys }, FindOwnersReply)).owners,
    progress: (job: JobId, tokens: number) =>
      connection.publish(
        jobSubject(workspace, job),
        JSON.stringify({
          v: 1,
          job_id: job,
          state: 'running',
          progress: { phase: 'generating', round: 1, tokens, message: `${tokens} tokens` },
        }),
      ),
    /** Resolves with the id of the next job that is asked to stop. */
    nextCancel: () =>
      new Promise<string>((resolve) => {
        connection.subscribe(cancelSubject(workspace, '*'), {
          max: 1,
          callback: (_error, message) => resolve(message.subject.split('.').at(-1) ?? ''),
        })
      }),
  }
}

const outcome = {
  reply: 'Wrote it',
  changed: true,
  diff: '--- a\n+++ b\n',
  diff_truncated: false,
  checks: { passed: true, ran: ['syntax'], skipped: [], violations: [] },
  attempts: 1,
  usage: {
    prompt_tokens: 10,
    cached_prompt_tokens: 4,
    completion_tokens: 5,
    queue_ms: 2,
    time_to_first_token_ms: 1,
    tokens_per_second: 100,
    model: 'tiny',
  },
  proposal_id: null,
  sha256: 'c'.repeat(64),
}
const succeeded = (result: object = outcome): JobOutcome => ({ state: 'succeeded', result: { ...result } })

interface Heard {
  progress: number
  message?: string | undefined
}

interface Connected {
  call(
    name: string,
    args: Record<string, unknown>,
    options?: { signal?: AbortSignal; onprogress?: (progress: Heard) => void },
  ): Promise<v.InferOutput<typeof ToolResultShape>>
  names(): Promise<string[]>
}

const ToolResultShape = v.object({
  isError: v.optional(v.boolean()),
  structuredContent: v.record(v.string(), v.any()),
  content: v.array(v.object({ type: v.string(), text: v.string() })),
})

const transportOptions = (edge: EdgeServer) => ({
  requestInit: { headers: { authorization: `Bearer ${edge.token}` } },
})

async function connectClient({ edge }: Stack, era: 'v2' | 'v2-modern' | 'v1'): Promise<Connected> {
  const url = new URL(`${edge.url}/mcp`)
  if (era === 'v1') {
    const client = new OldClient({ name: 'old', version: '1' })
    await client.connect(new OldTransport(url, transportOptions(edge)))
    cleanups.push(() => client.close())
    return {
      call: async (name, args, options = {}) =>
        v.parse(ToolResultShape, await client.callTool({ name, arguments: args }, undefined, options)),
      names: async () => (await client.listTools()).tools.map((tool) => tool.name),
    }
  }
  const client = new Client(
    { name: 'new', version: '1' },
    era === 'v2-modern' ? { versionNegotiation: { mode: { pin: '2026-07-28' } } } : {},
  )
  await client.connect(new StreamableHTTPClientTransport(url, transportOptions(edge)))
  cleanups.push(() => client.close())
  return {
    call: async (name, args, options = {}) =>
      v.parse(ToolResultShape, await client.callTool({ name, arguments: args }, options)),
    names: async () => (await client.listTools()).tools.map((tool) => tool.name),
  }
}

const newAgent = { agent_id: 'a1', name: 'Models', managed_file: 'a.py', system_prompt: 'Write Python' }

describe.each(['v2', 'v2-modern', 'v1'] as const)('a client of the kind %s', (era) => {
  it('lists, creates, reads, chats with progress, and deletes', async () => {
    const stack = await startStack()
    const worker = await startWorker(stack.workspace)
    const side = workerSide(worker, stack.workspace)
    const client = await connectClient(stack, era)
    expect(await client.names()).toEqual(catalogue.map((tool) => tool.name))

    const created = await client.call('create_agent', newAgent)
    expect(created.structuredContent).toMatchObject({ success: true, agent: { agent_id: 'a1', managed_file: 'a.py' } })
    expect(
      (await client.call('create_agent', { ...newAgent, agent_id: 'a2', managed_file: 'A.py' })).structuredContent,
    ).toMatchObject({ success: false, error: { code: 'file_already_managed' } })
    expect(await side.owners(['a.py', 'b.py'])).toEqual({ 'a.py': 'a1' })

    const read = await client.call('read_file', { path: 'a.py' })
    expect(read.structuredContent).toEqual({ success: true, ...fileAnswer })
    expect(read.content).toEqual([{ type: 'text', text: 'x = 1\n' }])

    const heard: Heard[] = []
    const chat = client.call(
      'chat_with_agent',
      { agent_id: 'a1', message: 'Write a model', context: { any: 'b.py' } },
      { onprogress: (progress) => heard.push(progress) },
    )
    const { job_id, ack } = await side.take()
    const run = await side.claim(job_id)
    expect(run).toMatchObject({
      tool: 'chat_with_agent',
      args: { agent_id: 'a1', message: 'Write a model', context: { any: 'b.py' } },
      agent: { agent_id: 'a1', managed_file: 'a.py' },
    })
    side.progress(job_id, 10)
    await expect.poll(() => heard.length, { interval: 5 }).toBe(1)
    side.progress(job_id, 20)
    await expect.poll(() => heard.length, { interval: 5 }).toBe(2)
    expect(await side.finish(job_id, run.fence, succeeded())).toBe(true)
    await ack()
    const answer = await chat
    expect(answer.structuredContent).toEqual({ success: true, job_id, state: 'succeeded', ...outcome })
    expect(answer.content[0]?.text).toContain('Wrote it')
    expect(heard.map((progress) => progress.message)).toEqual(['10 tokens', '20 tokens'])
    expect(heard[1]?.progress).toBeGreaterThan(heard[0]?.progress ?? 0)

    const info = await client.call('get_agent_info', { agent_id: 'a1' })
    expect(info.structuredContent).toMatchObject({
      agent: { state: 'idle' },
      file: { exists: true, line_count: 3 },
      jobs: [{ job_id, state: 'succeeded' }],
      messages: [
        { role: 'user', text: 'Write a model' },
        { role: 'agent', text: 'Wrote it' },
      ],
    })
    expect((await client.call('get_job', { job_id })).structuredContent).toMatchObject({ result: outcome, error: null })
    const server = await client.call('get_server_info', {})
    expect(server.structuredContent).toMatchObject({ workers: [{ worker_id: 'w1' }], agents: 1 })
    expect((await client.call('delete_agent', { agent_id: 'a1' })).structuredContent).toEqual({
      success: true,
      deleted: true,
      agent_id: 'a1',
      managed_file: 'a.py',
    })
  })

  it('stops the job when it cancels the call', async () => {
    const stack = await startStack()
    const worker = await startWorker(stack.workspace)
    const side = workerSide(worker, stack.workspace)
    const client = await connectClient(stack, era)
    await client.call('create_agent', newAgent)
    const asked = side.nextCancel()
    const aborting = new AbortController()
    const chat = client.call('chat_with_agent', { agent_id: 'a1', message: 'x' }, { signal: aborting.signal })
    const failed = expect(chat).rejects.toThrow()
    const { job_id } = await side.take()
    await side.claim(job_id)
    aborting.abort()
    await failed
    expect(await asked).toBe(job_id)
    const { structuredContent } = await client.call('get_job', { job_id })
    expect(structuredContent).toMatchObject({ state: 'running' })
    expect((await client.call('cancel_job', { job_id })).structuredContent).toMatchObject({ cancel_requested: true })
  })
})

describe('questions of a worker', () => {
  it('are taken as it has signed them, and once', async () => {
    const stack = await startStack()
    const worker = await startWorker(stack.workspace)
    const side = workerSide(worker, stack.workspace)
    const client = await connectClient(stack, 'v2-modern')
    const { structuredContent } = await client.call('run_tests', { wait_seconds: 0 })
    const { job_id } = await side.take()
    expect(job_id).toBe(structuredContent.job_id)

    const machine = await machineOf(dataFolder(stack.workspace), stack.workspace)
    const sign = (operation: RegistryOperation, question: object) =>
      signQuestion(machine, stack.workspace, operation, question)
    const refusalOf = async (question: SignedQuestion) =>
      decodeMessage('a reply', MaybeRefused, (await sendQuestion(worker, question)).data).refused?.code
    const claim = sign('claim_job', { job_id, worker_id: 'w1' })
    expect(await refusalOf(unsigned(sign('claim_job', { job_id, worker_id: 'w1' })))).toBe('forbidden')
    const run = decodeMessage('a reply', ClaimJobReply, (await sendQuestion(worker, claim)).data)
    expect(run).toMatchObject({ claim: 'run', fence: 1 })
    // A second claim would take the job from who has it.
    expect(await refusalOf(claim)).toBe('conflict')

    const finish = { job_id, fence: 1, outcome: { state: 'failed', error: { code: 'internal', message: 'x' } } }
    const elsewhere = await machineOf(dataFolder(stack.workspace), toWorkspaceId('elsewhere'))
    expect(await refusalOf(unsigned(sign('finish_job', finish)))).toBe('forbidden')
    expect(await refusalOf(signQuestion(elsewhere, stack.workspace, 'finish_job', finish))).toBe('forbidden')
    expect((await client.call('get_job', { job_id })).structuredContent).toMatchObject({ state: 'running' })
    // Of another machine of this workspace, signed, with the right fence.
    expect(await side.finish(job_id, 1, succeeded())).toBe(false)
    expect((await client.call('get_job', { job_id })).structuredContent).toMatchObject({ state: 'running' })
    const ended = await sendQuestion(worker, sign('finish_job', finish))
    expect(decodeMessage('a reply', FinishJobReply, ended.data).accepted).toBe(true)
  })
})

describe('calls to a worker', () => {
  it('are refused at once without one, and passed on as it refuses', async () => {
    const stack = await startStack()
    const client = await connectClient(stack, 'v2-modern')
    const startedAt = performance.now()
    expect((await client.call('read_file', { path: 'a.py' })).structuredContent.error?.code).toBe('worker_offline')
    expect((await client.call('create_agent', newAgent)).structuredContent.error?.code).toBe('worker_offline')
    expect(performance.now() - startedAt).toBeLessThan(1000)
    expect((await client.call('get_server_info', {})).structuredContent).toMatchObject({ success: true, workers: [] })

    await startWorker(stack.workspace, {
      read_file: () => {
        throw new AppError('protected_path', 'Cannot read ".env": it is protected', { hint: 'Choose another' })
      },
      git_status: () => ({ branch: 7 }),
    })
    const refused = await client.call('read_file', { path: '.env' })
    expect(refused).toMatchObject({
      isError: true,
      structuredContent: { success: false, error: { code: 'protected_path', hint: 'Choose another' } },
      content: [{ text: 'protected_path: Cannot read ".env": it is protected. Choose another' }],
    })
    // Nonsense from a worker is our failure, not the caller's.
    const nonsense = await client.call('git_status', {})
    expect(nonsense.structuredContent.error).toMatchObject({ code: 'internal' })
    expect(nonsense.content[0]?.text).not.toContain('branch')
  })

  it('carry the acting agent as the registry has it', async () => {
    const stack = await startStack()
    const seen: CallEnvelope[] = []
    await startWorker(stack.workspace, {
      get_agent_file: (envelope) => {
        seen.push(envelope)
        return fileAnswer
      },
    })
    const client = await connectClient(stack, 'v2-modern')
    expect((await client.call('get_agent_file', { agent_id: 'a1' })).structuredContent.error?.code).toBe('not_found')
    await client.call('create_agent', newAgent)
    await client.call('get_agent_file', { agent_id: 'a1' })
    expect(seen).toMatchObject([
      {
        workspace: stack.workspace,
        caller: { subject: 'owner' },
        tool: 'get_agent_file',
        args: { agent_id: 'a1' },
        agent: { agent_id: 'a1', managed_file: 'a.py', system_prompt: 'Write Python', model: null },
      },
    ])
  })

  it('ends the waiting when the client cancels', async () => {
    const stack = await startStack()
    const asked = Promise.withResolvers<void>()
    await startWorker(stack.workspace, { read_file: () => asked.resolve() })
    const client = await connectClient(stack, 'v2-modern')
    const aborting = new AbortController()
    const call = expect(client.call('read_file', { path: 'a' }, { signal: aborting.signal })).rejects.toThrow()
    await asked.promise
    aborting.abort()
    await call
  })

  it('refuses what the bus cannot carry, and the connection lives', async () => {
    const stack = await startStack()
    await startWorker(stack.workspace, { write_file: () => ({}) })
    const client = await connectClient(stack, 'v2-modern')
    // One MiB of characters that JSON writes as six bytes each fits; the bus takes eight.
    const content = '\u0001'.repeat(600_000)
    expect((await client.call('write_file', { path: 'a', content })).structuredContent.error?.code).toBe('internal')
    expect((await client.call('read_file', { path: 'a.py' })).structuredContent.success).toBe(true)
  })
})

describe('jobs', () => {
  async function startWithAgent() {
    const stack = await startStack()
    const worker = await startWorker(stack.workspace)
    const client = await connectClient(stack, 'v2-modern')
    await client.call('create_agent', newAgent)
    return { stack, worker, client, side: workerSide(worker, stack.workspace) }
  }

  it('wait for a worker, and say so at once', async () => {
    const { stack, worker, client } = await startWithAgent()
    await worker.close()
    const { structuredContent } = await client.call('chat_with_agent', { agent_id: 'a1', message: 'x' })
    expect(structuredContent).toMatchObject({
      success: true,
      state: 'queued',
      note: expect.stringContaining('No worker'),
    })
    const side = workerSide(await startWorker(stack.workspace), stack.workspace)
    expect((await side.take()).job_id).toBe(structuredContent.job_id)
  })

  const task = { name: 'chat_with_agent', arguments: { agent_id: 'a1', message: 'x' } }
  it.each([
    ['older', { ...callMessage(task.name, task.arguments), headers: { 'mcp-protocol-version': '2025-11-25' } }],
    ['newer', modernMessage('tools/call', task)],
  ])('are cancelled when a client of the %s era just goes away', async (_era, message) => {
    const { stack, worker, side } = await startWithAgent()
    const aborting = new AbortController()
    const gone = postMessage(`${stack.edge.url}/mcp`, stack.edge.token, message, aborting.signal).then((response) =>
      response.text(),
    )
    const failed = expect(gone).rejects.toThrow()
    const { job_id } = await side.take()
    await side.claim(job_id)
    const asked = side.nextCancel()
    await worker.flush()
    aborting.abort()
    await failed
    expect(await asked).toBe(job_id)
  })

  it('answer with where they stand when the time is up', async () => {
    const { worker, client, side } = await startWithAgent()
    const chat = client.call('chat_with_agent', { agent_id: 'a1', message: 'x', wait_seconds: 0.5 })
    const { job_id } = await side.take()
    const { fence } = await side.claim(job_id)
    side.progress(job_id, 33)
    await worker.flush()
    const { structuredContent } = await chat
    expect(structuredContent).toMatchObject({ job_id, state: 'running', progress: { tokens: 33 } })
    expect((await client.call('get_job', { job_id })).structuredContent).toMatchObject({ progress: { tokens: 33 } })
    const waiting = client.call('get_job', { job_id, wait_seconds: 20 })
    await side.finish(job_id, fence, succeeded())
    expect((await waiting).structuredContent).toMatchObject({ state: 'succeeded', progress: null, result: outcome })
  })

  it('are one job for one idempotency key, which outlives its call', async () => {
    const { client, side } = await startWithAgent()
    const args = { agent_id: 'a1', message: 'x', idempotency_key: 'k1', wait_seconds: 0 }
    const [first, second] = await Promise.all([
      client.call('chat_with_agent', args),
      client.call('chat_with_agent', { ...args, wait_seconds: 0.1 }),
    ])
    expect(second.structuredContent.job_id).toBe(first.structuredContent.job_id)
    const other = await client.call('chat_with_agent', { ...args, message: 'y' })
    expect(other.structuredContent.error?.code).toBe('conflict')

    const aborting = new AbortController()
    const chat = client.call('chat_with_agent', { ...args, wait_seconds: 20 }, { signal: aborting.signal })
    const gone = expect(chat).rejects.toThrow()
    const { job_id } = await side.take()
    const { fence } = await side.claim(job_id)
    aborting.abort()
    await gone
    expect(await side.finish(job_id, fence, succeeded())).toBe(true)
    const again = await client.call('chat_with_agent', { ...args, wait_seconds: 20 })
    expect(again.structuredContent).toMatchObject({ job_id, state: 'succeeded', reply: 'Wrote it' })
  })

  it('fail as their worker says, once, under the last fence', async () => {
    const { client, side } = await startWithAgent()
    const chat = client.call('chat_with_agent', { agent_id: 'a1', message: 'x' })
    const { job_id } = await side.take()
    await side.claim(job_id)
    const { fence } = await side.claim(job_id)
    expect(await side.finish(job_id, fence - 1, succeeded())).toBe(false)
    const checks = {
      passed: false,
      ran: ['syntax'],
      skipped: [],
      violations: [{ rule: 'syntax', severity: 'error', message: 'Close the bracket', line: 3, column: 1 }],
    }
    const error = { code: 'checks_failed', message: 'Cannot write "a.py": checks failed', details: { checks } } as const
    expect(await side.finish(job_id, fence, { state: 'failed', error })).toBe(true)
    const { isError, structuredContent, content } = await chat
    expect(isError).toBe(true)
    expect(structuredContent.error).toMatchObject({ code: 'checks_failed', details: { job_id, checks } })
    expect(content[0]?.text).toContain('Close the bracket')
  })

  it('do not keep a result of another shape', async () => {
    const { client, side } = await startWithAgent()
    const chat = client.call('chat_with_agent', { agent_id: 'a1', message: 'x' })
    const { job_id } = await side.take()
    await side.finish(job_id, (await side.claim(job_id)).fence, succeeded({ reply: 7 }))
    expect((await chat).structuredContent.error?.code).toBe('internal')
  })

  it('are fenced off when their agent is deleted', async () => {
    const { client, side } = await startWithAgent()
    const chat = client.call('chat_with_agent', { agent_id: 'a1', message: 'x' })
    const { job_id } = await side.take()
    const { fence } = await side.claim(job_id)
    const asked = side.nextCancel()
    await client.call('delete_agent', { agent_id: 'a1' })
    expect(await asked).toBe(job_id)
    expect((await chat).structuredContent.error?.code).toBe('cancelled')
    expect(await side.finish(job_id, fence, succeeded())).toBe(false)
    expect(await side.claimReply(job_id)).toMatchObject({ claim: 'settled' })
  })

  it('accept a proposal byte for byte, once', async () => {
    const { client, side } = await startWithAgent()
    const propose = client.call('chat_with_agent', { agent_id: 'a1', message: 'x', mode: 'propose' })
    const { job_id } = await side.take()
    const proposal = { path: 'a.py', blob: 'd'.repeat(40), sha256: 'f'.repeat(64), base_sha256: 'e'.repeat(64) }
    const result = { ...outcome, changed: false, proposal_id: job_id, proposal }
    await side.finish(job_id, (await side.claim(job_id)).fence, succeeded(result))
    const proposed = (await propose).structuredContent
    expect(proposed).toMatchObject({ proposal_id: job_id })
    expect(JSON.stringify(proposed)).not.toContain(proposal.blob)
    expect(JSON.stringify((await client.call('get_job', { job_id })).structuredContent)).not.toContain(proposal.blob)

    const accept = { agent_id: 'a1', message: 'Take it', accept: job_id }
    const accepting = client.call('chat_with_agent', accept)
    const second = await side.take()
    const run = await side.claim(second.job_id)
    expect(run.args).toMatchObject({ accept: job_id, proposal })
    await side.finish(second.job_id, run.fence, succeeded())
    expect((await accepting).structuredContent.success).toBe(true)
    expect((await client.call('chat_with_agent', accept)).structuredContent.error?.code).toBe('conflict')

    await client.call('create_agent', { ...newAgent, agent_id: 'a2', managed_file: 'b.py' })
    const stolen = await client.call('chat_with_agent', { ...accept, agent_id: 'a2' })
    expect(stolen.structuredContent.error?.code).toBe('not_found')
    const none = await client.call('chat_with_agent', { ...accept, accept: second.job_id })
    expect(none.structuredContent.error?.code).toBe('not_found')
  })

  it('are refused as busy within 100 ms when the queue is full, and leave nothing', async () => {
    const { stack, client } = await startWithAgent()
    const admin = await connectNats(nats.url('edge'), { name: 'filler', inboxPrefix: '_INBOX_edge' })
    cleanups.push(() => admin.close())
    const queue = jetstream(admin)
    const fillers = Array.from({ length: JOBS_QUEUED_MAX }, () => queue.publish(`mw.${stack.workspace}.jobs`, '{}'))
    await Promise.all(fillers)
    const times: number[] = []
    for (let index = 0; index < 5; index++) {
      const startedAt = performance.now()
      const { structuredContent } = await client.call('chat_with_agent', { agent_id: 'a1', message: 'x' })
      times.push(performance.now() - startedAt)
      expect(structuredContent.error).toMatchObject({ code: 'busy', details: { retry_after_ms: 5000 } })
    }
    // The best of five: the machine may be busy with other tests.
    expect(Math.min(...times)).toBeLessThan(100)
    expect((await client.call('list_jobs', {})).structuredContent.jobs).toEqual([])
  })
})

describe('an edge that starts before NATS', () => {
  it('answers, and works once that is there', async () => {
    const late = toWorkspaceId(`late-${process.pid}`)
    const lateFolder = join(folder, 'nats-late')
    const binary = await findNatsServer()
    const first = await startNatsServer({ binary, dataFolder: lateFolder, webSocketPort: 0 })
    await first.stop()
    const places = { port: first.port, webSocketPort: first.webSocketPort ?? 0 }
    const edge = await startEdge(late, first)
    expect(await health(edge)).toMatchObject({ status: 'ok', nats: false })
    const client = await connectClient({ edge, workspace: late }, 'v2-modern')
    expect((await client.call('read_file', { path: 'a' })).structuredContent.error?.code).toBe('unavailable')
    const second = await startNatsServer({ binary, dataFolder: lateFolder, ...places })
    cleanups.push(() => second.stop())
    await expect.poll(async () => (await health(edge)).nats, { timeout: 10_000, interval: 50 }).toBe(true)
    expect((await client.call('read_file', { path: 'a' })).structuredContent.error?.code).toBe('worker_offline')
  })
})

// Workerd's process is not ours: it is started and ended by whoever hosts it.
describe.runIf(edgeRuntime() === 'node')('the process on Node', () => {
  const entry = join(import.meta.dirname, 'entry.node.ts')
  const env = (workspace: string, port: number, data: string) => ({
    PATH: process.env.PATH,
    NATS_URL: nats.url('edge'),
    MILLWRIGHT_DATA: join(folder, data),
    MILLWRIGHT_WORKSPACE: workspace,
    MILLWRIGHT_PORT: String(port),
  })

  function start(environment: Record<string, string | undefined>): { child: ChildProcess; errors: () => string } {
    let text = ''
    const child = fork(entry, { env: environment, silent: true, execArgv: [] })
    child.stderr?.on('data', (chunk) => {
      text += chunk
    })
    cleanups.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    })
    return { child, errors: () => text }
  }

  const Ready = v.object({ type: v.literal('ready'), url: v.string(), port: v.number() })

  it.each(['SIGTERM', 'SIGINT', 'disconnect'] as const)('is ready, then ends in order on %s', async (how) => {
    const { child } = start(env('process', 0, `process-${how}`))
    const [message] = await once(child, 'message')
    const { url } = v.parse(Ready, message)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect(statSync(join(folder, `process-${how}`)).mode & 0o777).toBe(0o700)
    const ended = once(child, 'exit')
    if (how === 'disconnect') child.disconnect()
    else child.kill(how)
    expect(await ended).toEqual([0, null])
  })

  it('finishes the call under way before it ends', async () => {
    const stack = await startStack()
    const asked = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const worker = await startWorker(stack.workspace, { read_file: () => undefined })
    worker.subscribe(callSubject(stack.workspace, 'files'), {
      callback: (_error, message) => {
        const { id } = decodeMessage('a call', CallEnvelope, message.data)
        asked.resolve()
        void released.promise.then(() => message.respond(JSON.stringify({ v: 1, id, ok: true, result: fileAnswer })))
      },
    })
    await worker.flush()
    const client = await connectClient(stack, 'v2-modern')
    const call = client.call('read_file', { path: 'a.py' })
    await asked.promise
    const closed = stack.edge.close()
    await expect(fetch(`${stack.edge.url}/healthz`)).rejects.toThrow()
    released.resolve()
    expect((await call).structuredContent.success).toBe(true)
    await closed
  })

  it('says which variable is wrong, and which port is taken', async () => {
    const wrong = start({ ...env('process', 0, 'wrong'), MILLWRIGHT_WORKSPACE: 'NOT ONE' })
    expect(await once(wrong.child, 'exit')).toEqual([1, null])
    expect(wrong.errors()).toContain('MILLWRIGHT_WORKSPACE')

    const { edge } = await startStack()
    const taken = start(env('process', edge.port, 'taken'))
    expect(await once(taken.child, 'exit')).toEqual([1, null])
    expect(taken.errors()).toContain(`Cannot listen on port ${edge.port}`)
  })
})
