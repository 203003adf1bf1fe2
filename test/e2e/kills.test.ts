import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { describe, expect, inject, it } from 'vitest'
import { processEnded } from '#scripts/test-support/process-ended.ts'
import { writeTinyModel } from '#scripts/tiny-model.ts'
import {
  dataFolderOf,
  jobEnd,
  jobReaches,
  type LiveStack,
  modelIsReady,
  SLOW_MODEL,
  startLiveStack,
  until,
} from '#test/support/live-stack.ts'
import { connectClient, type Fields } from '#test/support/mcp.ts'
import { modelProcessOf } from '#test/support/processes.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { readWrites } from '#test/support/worker-journal.ts'

// kill -9, of every process of the system, at chosen moments of its work (random ones: random-kills.test.ts). Each time: one
// outcome, whole files, and the next job runs.

const DEADLINE_MS = 140_000
const taskFor = (name: string): string => `Create a ${name} model with id, name, email`

const tempFiles = (repository: TempRepository): string[] =>
  readdirSync(repository.root).filter((name) => name.startsWith('.millwright-'))

const isSound = async (repository: TempRepository): Promise<void> => {
  expect(tempFiles(repository)).toEqual([])
  await repository.git('fsck', '--no-dangling')
  // What the last write replaced is kept: no lock of a killed git is in the way of the next.
  await repository.git('add', '--all')
}

const nextJobRuns = async (live: LiveStack, name: string): Promise<void> => {
  const client = await connectClient(live.stack.url, live.stack.token)
  try {
    await modelIsReady(client)
    const file = `${name}_next.py`
    await client.ok('create_agent', { agent_id: `${name}-next`, name, managed_file: file, system_prompt: '' })
    const { job_id } = await client.ok('chat_with_agent', {
      agent_id: `${name}-next`,
      message: 'What is in it?',
      mode: 'ask',
      wait_seconds: 0,
    })
    expect((await jobEnd(client, String(job_id))).state).toBe('succeeded')
  } finally {
    await client.close()
  }
}

function kill(pid: number | undefined): void {
  if (pid === undefined) throw new Error('There is no such process to kill')
  process.kill(pid, 'SIGKILL')
}

describe.concurrent('kill -9', { timeout: DEADLINE_MS }, () => {
  it('of the worker right before and right after the rename leaves whole files; what landed is not done again', async () => {
    const repository = await createTempRepository({ 'before.py': 'old = 1\n', 'after.py': 'old = 2\n' })
    const first = await startLiveStack({ model: 'demo', repository })
    await first.own('before.py', 'after.py')
    // The worker stands still, so that its jobs are delivered to it and never begun.
    process.kill(first.stack.pids().worker ?? 0, 'SIGSTOP')
    const before = await first.submit('before', taskFor('User'))
    const after = await first.submit('after', taskFor('User'))
    await first.client.close()
    const pids = Object.values(first.stack.pids())
    first.stack.kill()
    await Promise.all(pids.map(processEnded))
    await first.stack.stop()

    const outcome = {
      reply: 'Landed before the kill',
      changed: true,
      diff: '',
      diff_truncated: false,
      checks: null,
      attempts: 1,
      usage: {
        prompt_tokens: 1,
        cached_prompt_tokens: 0,
        completion_tokens: 1,
        queue_ms: 0,
        time_to_first_token_ms: 1,
        tokens_per_second: 1,
        model: 'demo',
      },
      proposal_id: null,
      sha256: null,
    }
    for (const [moment, path, job] of [
      ['before-rename', 'before.py', before],
      ['after-rename', 'after.py', after],
    ] as const) {
      const program = fileURLToPath(new URL('../support/killed-writer-process.ts', import.meta.url))
      const args = [repository.root, dataFolderOf(repository), moment, path, job, 'new = 3\n', JSON.stringify(outcome)]
      const writer = execFile(process.execPath, [program, ...args])
      const said: string[] = []
      writer.stderr?.on('data', (text: string) => said.push(text))
      const [, signal] = await once(writer, 'exit')
      expect(signal, said.join('')).toBe('SIGKILL')
    }
    expect(repository.read('before.py')).toBe('old = 1\n')
    expect(repository.read('after.py')).toBe('new = 3\n')
    expect(tempFiles(repository)).toHaveLength(1)
    expect(readWrites(repository).map(({ state }) => state)).toEqual(['begun', 'begun'])

    const second = await startLiveStack({ model: 'demo', repository })
    try {
      expect(tempFiles(repository)).toEqual([])
      expect(readWrites(repository).slice(0, 2)).toEqual([
        { path: 'before.py', job_id: before, state: 'dropped' },
        { path: 'after.py', job_id: after, state: 'landed' },
      ])
      expect(await jobEnd(second.client, after)).toMatchObject({ state: 'succeeded', result: outcome })
      expect(repository.read('after.py')).toBe('new = 3\n')
      expect(await jobEnd(second.client, before)).toMatchObject({ state: 'succeeded', result: { changed: true } })
      expect(repository.read('before.py')).toContain('class User')
      expect(readWrites(repository).filter(({ state }) => state === 'landed')).toHaveLength(2)
      await nextJobRuns(second, 'rename')
      await isSound(repository)
    } finally {
      await second.stop()
      repository.remove()
    }
  })

  it('of the worker in the middle of a short call ends the call within seconds, and says that it may have been done', async () => {
    const live = await startLiveStack({ model: 'demo', modelMayBeMissing: true })
    try {
      const { worker = 0 } = live.stack.pids()
      process.kill(worker, 'SIGSTOP')
      const askedAt = performance.now()
      const call = live.client.call('write_file', { path: 'a.txt', content: 'a\n' })
      // Waits two seconds for the worker in vain: the call before it has been sent by then.
      await live.client.ok('get_server_info', {})
      kill(worker)
      expect((await call).error).toMatchObject({
        code: 'worker_offline',
        message: expect.stringContaining('went away before it answered'),
        hint: expect.stringContaining('it may have been made'),
      })
      expect(performance.now() - askedAt).toBeLessThan(20_000)
      await until(() => live.stack.pids().worker !== undefined && live.stack.pids().worker !== worker)
      await live.client.ok('write_file', { path: 'a.txt', content: 'a\n' })
    } finally {
      await live.stop()
    }
  })

  it('of the model, the functions and NATS in the middle of a job', async () => {
    const live = await startLiveStack({ model: { ...SLOW_MODEL, contextTokens: 1536 } })
    const { stack } = live
    const client = () => connectClient(stack.url, stack.token)
    try {
      await live.own('a.py')
      const ask: Fields = { mode: 'ask' }
      const worker = stack.pids().worker ?? 0

      // The model: the job is given to a new process, once; the daemon goes on.
      const job = await live.submit('a', 'Go on', ask)
      await jobReaches(live.client, job, 'generating')
      const model = await modelProcessOf(worker)
      kill(model)
      await live.client.ok('read_file', { path: 'README.md' })
      expect(await jobEnd(live.client, job)).toMatchObject({ state: 'succeeded', result: { attempts: 1 } })
      expect(await modelProcessOf(worker)).not.toBe(model)

      // Twice on the same job is too often.
      const unlucky = await live.submit('a', 'Go on', ask)
      await jobReaches(live.client, unlucky, 'generating')
      const second = await modelProcessOf(worker)
      kill(second)
      const third = await modelProcessOf(worker, second)
      await jobReaches(live.client, unlucky, 'loading_model')
      await jobReaches(live.client, unlucky, 'generating')
      kill(third)
      expect(await jobEnd(live.client, unlucky)).toMatchObject({
        state: 'failed',
        error: { code: 'model_unavailable' },
      })
      expect(stack.pids().worker).toBe(worker)
      await modelIsReady(live.client)

      // The functions, while a call waits. Its client hears nothing more, and gives up only after a minute; whoever
      // asks the next functions learns the outcome at once.
      const caller = await client()
      const cutOff = expect(
        caller.call('chat_with_agent', { agent_id: 'a', message: 'Wait', ...ask }),
      ).rejects.toThrow()
      const other = await client()
      let waiting = ''
      await until(async () => {
        const { jobs } = await other.ok('list_jobs', { agent_id: 'a', state: 'running' })
        waiting = (jobs as { job_id: string }[])[0]?.job_id ?? ''
        return waiting !== ''
      })
      await jobReaches(other, waiting, 'generating')
      const { functions } = stack.pids()
      kill(functions)
      await until(() => stack.pids().functions !== undefined && stack.pids().functions !== functions)
      const after = await client()
      expect(await jobEnd(after, waiting)).toMatchObject({ state: 'succeeded', result: { changed: false } })
      await caller.close()
      await cutOff

      // NATS, which holds the queue.
      const { job_id } = await after.ok('chat_with_agent', { agent_id: 'a', message: 'On', wait_seconds: 0, ...ask })
      await jobReaches(after, String(job_id), 'generating')
      const { nats } = stack.pids()
      kill(nats)
      await until(() => stack.pids().nats !== undefined && stack.pids().nats !== nats)
      expect((await jobEnd(after, String(job_id))).state).toBe('succeeded')
      expect((await after.ok('list_jobs', { agent_id: 'a' })).jobs).toHaveLength(4)
      await after.close()
      await other.close()

      await nextJobRuns(live, 'parts')
      expect(stack.pids().worker).toBe(worker)
      expect(live.repository.exists('a.py')).toBe(false)
      await isSound(live.repository)
    } finally {
      await live.stop()
    }
  })

  it('of the supervisor leaves no process behind, nor the model in the middle of a sentence', async () => {
    const repository = await createTempRepository()
    const model = join(repository.folder, 'random.gguf')
    await writeTinyModel(model, SLOW_MODEL)
    const program = fileURLToPath(new URL('../support/stack-holder-process.ts', import.meta.url))
    const holderArgs = [repository.root, dataFolderOf(repository), model, inject('edgeBundle')]
    const holder = fork(program, holderArgs, { silent: true, execArgv: [] })
    try {
      const Told = v.object({ url: v.string(), token: v.string(), pids: v.record(v.string(), v.number()) })
      const { url, token, pids } = v.parse(Told, (await once(holder, 'message'))[0])
      const client = await connectClient(url, token)
      await modelIsReady(client)
      await client.ok('create_agent', { agent_id: 'a', name: 'A', managed_file: 'a.py', system_prompt: '' })
      const { job_id } = await client.ok('chat_with_agent', { agent_id: 'a', message: 'Go on', wait_seconds: 0 })
      await jobReaches(client, String(job_id), 'generating')
      const all = [...Object.values(pids), await modelProcessOf(pids.worker ?? 0)]
      expect(all).toHaveLength(4)
      kill(holder.pid)
      await client.close().catch(() => undefined)
      await Promise.all(all.map(processEnded))

      // The data folder is free again, and the job goes on where it was left: in the queue.
      const live = await startLiveStack({ model, repository })
      expect(['queued', 'running']).toContain((await live.client.ok('get_job', { job_id })).state)
      await live.client.ok('cancel_job', { job_id })
      expect((await jobEnd(live.client, String(job_id))).state).toBe('cancelled')
      await live.stop()
      expect(repository.exists('a.py')).toBe(false)
      await isSound(repository)
    } finally {
      holder.kill('SIGKILL')
      repository.remove()
    }
  })
})
