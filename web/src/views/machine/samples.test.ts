import { describe, expect, it } from 'vitest'
import { createSamples, type ServerInfo } from './samples.ts'

const info = (workers: ServerInfo['workers'] = []): ServerInfo => ({
  version: '1',
  workspace: 'w',
  workers,
  queue: { queued: 2, running: 1 },
  agents: 0,
  memory: { edge_bytes: 100 },
  limits: {},
})
const worker: ServerInfo['workers'][number] = {
  worker_id: 'w1',
  version: '1',
  repository: 'r',
  started_at: '2026-01-01T00:00:00.000Z',
  models: [],
  gpu: null,
  memory: { daemon_bytes: 50, model_bytes: null, machine_bytes: 1000 },
  jobs_running: 0,
  notices: [],
}

describe('createSamples', () => {
  it('keeps each moment once, with nothing for what nobody told', () => {
    const samples = createSamples()
    samples.add(1, info())
    samples.add(2, info([worker, { ...worker, memory: { ...worker.memory, model_bytes: 7 } }]))
    samples.add(2, info())
    expect(samples.state.get()).toEqual([
      { time: 1, running: 1, queued: 2, edgeBytes: 100, workerBytes: null, modelBytes: null, gpuBytes: null },
      { time: 2, running: 1, queued: 2, edgeBytes: 100, workerBytes: 100, modelBytes: 7, gpuBytes: null },
    ])
  })

  it('lets the oldest go', () => {
    const samples = createSamples()
    for (let time = 1; time <= 1000; time++) samples.add(time, info())
    expect(samples.state.get()).toHaveLength(720)
    expect(samples.state.get()[0]?.time).toBe(281)
  })
})
