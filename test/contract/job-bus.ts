import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { beforeAll, describe, expect, it } from 'vitest'
import type { JobBus } from '#functions/ports/job-bus.ts'
import { createJobId, type JobId, toWorkspaceId } from '#shared/ids.ts'
import { decodeMessage, JobMessage } from '#shared/protocol/envelope.ts'
import { JOBS_QUEUED_MAX } from '#shared/protocol/limits.ts'
import { cancelSubject, eventsSubject, JOBS_STREAM, jobSubject } from '#shared/protocol/subjects.ts'
import type { WorkspaceEvent } from '#shared/schemas/event.ts'
import type { JobProgress, JobState } from '#shared/schemas/job.ts'

export interface JobBusUnderTest {
  readonly bus: JobBus
  /** Connected as a worker is. */
  readonly worker: NatsConnection
  readonly admin: NatsConnection
  /** Ends the server, and brings it back where it was. */
  stopNats(): Promise<void>
  startNats(): Promise<void>
}

const here = toWorkspaceId('here')
const full = toWorkspaceId('full')
export const jobBusWorkspaces = [here, full] as const
let jobCount = 0
const newJob = (): JobId => {
  jobCount++
  return createJobId(Date.UTC(2026, 0, 1) + jobCount)
}
const atWork = (tokens: number): JobProgress => ({
  phase: 'generating',
  round: 1,
  tokens,
  message: `${tokens} tokens`,
})

/** For what comes in a moment, on a machine that may be busy. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 10_000, interval: 10 })

/** What every job bus must do. `create` gives one with streams for `jobBusWorkspaces`, connected. */
export function describeJobBus(name: string, create: () => Promise<JobBusUnderTest>): void {
  describe(`job bus: ${name}`, () => {
    let world: JobBusUnderTest
    beforeAll(async () => {
      world = await create()
    })

    /** What a worker says of a job. */
    const tell = async (job: JobId, state: JobState, progress: JobProgress | null) => {
      world.worker.publish(jobSubject(here, job), JSON.stringify({ v: 1, job_id: job, state, progress }))
      await world.worker.flush()
    }
    const queued = async () => (await (await jetstreamManager(world.admin)).streams.info(JOBS_STREAM)).state.messages
    const nextMessage = (subject: string) =>
      new Promise<{ subject: string; data: Uint8Array }>((resolve, reject) => {
        world.worker.subscribe(subject, {
          max: 1,
          callback: (error, message) => (error === null ? resolve(message) : reject(error)),
        })
      })

    it('stores a job once for each attempt', async () => {
      const job = newJob()
      const before = await queued()
      await world.bus.publish(here, job, 1)
      await world.bus.publish(here, job, 1)
      expect(await queued()).toBe(before + 1)
      await world.bus.publish(here, job, 2)
      expect(await queued()).toBe(before + 2)
    })

    it('refuses as busy what a full queue of the workspace cannot take, and takes that of others', async () => {
      for (let index = 0; index < JOBS_QUEUED_MAX; index++) await world.bus.publish(full, newJob(), 1)
      await expect(world.bus.publish(full, newJob(), 1)).rejects.toMatchObject({
        code: 'busy',
        details: { retry_after_ms: expect.any(Number) },
      })
      await world.bus.publish(here, newJob(), 1)
    })

    it('asks the worker that runs the job to stop', async () => {
      const job = newJob()
      const asked = nextMessage(cancelSubject(here, '*'))
      await world.worker.flush()
      world.bus.requestCancel(here, job)
      const { subject, data } = await asked
      expect(subject).toBe(cancelSubject(here, job))
      expect(decodeMessage('a cancel', JobMessage, data)).toEqual({ v: 1, workspace: here, job_id: job })
    })

    it('tells what has changed', async () => {
      // A worker may not listen to events; an edge hears its own.
      const job = newJob()
      const heard = Promise.withResolvers<JobProgress | null>()
      const stop = await world.bus.watch(here, job, heard.resolve)
      world.bus.announce(here, { v: 1, type: 'job_changed', job_id: job, state: 'succeeded' })
      expect(await heard.promise).toBeNull()
      stop()
    })

    it('hears the progress of the job that is watched, in order, until it no longer watches', async () => {
      const [job, other] = [newJob(), newJob()]
      const heard: (JobProgress | null)[] = []
      const stop = await world.bus.watch(here, job, (progress) => heard.push(progress))
      await tell(other, 'running', atWork(7))
      for (const tokens of [1, 2, 3]) await tell(job, 'running', atWork(tokens))
      await tell(job, 'succeeded', null)
      await soon(() => heard.length).toBe(4)
      expect(heard).toEqual([atWork(1), atWork(2), atWork(3), null])
      stop()
      const again: (JobProgress | null)[] = []
      const stopAgain = await world.bus.watch(here, job, (progress) => again.push(progress))
      await tell(job, 'running', atWork(4))
      await soon(() => again).toEqual([atWork(4)])
      expect(heard).toHaveLength(4)
      stopAgain()
    })

    it('tells several who watch one job', async () => {
      const job = newJob()
      const heard = [0, 0]
      const stops = await Promise.all(
        heard.map((_, index) => world.bus.watch(here, job, () => void heard.splice(index, 1, (heard[index] ?? 0) + 1))),
      )
      await tell(job, 'running', atWork(1))
      await soon(() => heard).toEqual([1, 1])
      for (const stop of stops) stop()
    })

    it('hears what changes in a workspace and how far its jobs are, and nothing of another', async () => {
      const job = newJob()
      const heard: (WorkspaceEvent | null)[] = []
      const stop = await world.bus.watchWorkspace(here, (event) => heard.push(event))
      const other: (WorkspaceEvent | null)[] = []
      const stopOther = await world.bus.watchWorkspace(full, (event) => other.push(event))
      world.bus.announce(here, { v: 1, type: 'agent_changed', agent_id: 'a1', change: 'created' })
      await soon(() => heard.length).toBe(1)
      world.worker.publish(eventsSubject(here), '{')
      world.worker.publish(eventsSubject(here), JSON.stringify({ v: 1, type: 'of_tomorrow' }))
      world.worker.publish(eventsSubject(here), JSON.stringify({ v: 1, type: 'file_changed', path: 'a.py' }))
      await tell(job, 'running', atWork(3))
      await soon(() => heard.length).toBe(3)
      expect(heard).toEqual([
        { v: 1, type: 'agent_changed', agent_id: 'a1', change: 'created' },
        { v: 1, type: 'file_changed', path: 'a.py' },
        { v: 1, type: 'job_progressed', job_id: job, phase: 'generating', round: 1, tokens: 3 },
      ])
      stop()
      world.bus.announce(full, { v: 1, type: 'file_changed', path: 'b.py' })
      await soon(() => other).toEqual([{ v: 1, type: 'file_changed', path: 'b.py' }])
      expect(heard).toHaveLength(3)
      stopOther()
    })

    it('knows the last progress of a job that has not ended', async () => {
      const job = newJob()
      expect(await world.bus.progress(here, job)).toBeNull()
      await tell(job, 'running', atWork(5))
      await soon(() => world.bus.progress(here, job)).toEqual(atWork(5))
      await tell(job, 'cancelled', null)
      await soon(() => world.bus.progress(here, job)).toBeNull()
    })

    it('hears nothing in what is no message', async () => {
      const job = newJob()
      const heard: unknown[] = []
      const stop = await world.bus.watch(here, job, (progress) => heard.push(progress))
      for (const text of ['', '{', '[]', JSON.stringify({ v: 99, job_id: job, state: 'running', progress: null })]) {
        world.worker.publish(jobSubject(here, job), text)
      }
      await tell(job, 'running', atWork(9))
      await soon(() => heard).toEqual([atWork(9)])
      stop()
    })

    // The last: the connections of this suite do not come back.
    it('is unavailable without a server, at once, and works again when that is back: who watched is told and hears again', async () => {
      expect(await world.bus.ping()).toBe(true)
      await world.stopNats()
      await expect.poll(() => world.bus.ping(), { timeout: 5000 }).toBe(false)
      await expect(world.bus.publish(here, newJob(), 1)).rejects.toMatchObject({ code: 'unavailable' })
      world.bus.requestCancel(here, newJob())
      const job = newJob()
      const ofJob: (JobProgress | null)[] = []
      const ofWorkspace: (WorkspaceEvent | null)[] = []
      const stops = [
        await world.bus.watch(here, job, (news) => ofJob.push(news)),
        await world.bus.watchWorkspace(here, (news) => ofWorkspace.push(news)),
      ]
      await world.startNats()
      await expect.poll(() => world.bus.ping(), { timeout: 10_000 }).toBe(true)
      await world.bus.publish(here, newJob(), 1)
      // Whoever watched may have missed something, and hears again. A connection may come back more than once.
      await soon(() => [...new Set(ofJob), ...new Set(ofWorkspace)]).toEqual([null, null])
      const changed: WorkspaceEvent = { v: 1, type: 'job_changed', job_id: job, state: 'succeeded' }
      world.bus.announce(here, changed)
      await soon(() => ofWorkspace).toContainEqual(changed)
      for (const stop of stops) stop()
    })
  })
}
