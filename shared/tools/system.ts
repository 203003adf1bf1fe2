import * as v from 'valibot'
import { WorkerInfo } from '../schemas/worker.ts'
import { defineTool, reads } from './define-tool.ts'

export const getServerInfo = defineTool({
  name: 'get_server_info',
  family: 'system',
  place: 'edge',
  core: true,
  title: 'Server state',
  description: 'Version, worker, models (and why one is not ready), memory, queue and limits.',
  input: v.strictObject({}),
  output: v.strictObject({
    version: v.string(),
    workspace: v.string(),
    /** Empty while no worker is connected. */
    workers: v.array(WorkerInfo),
    queue: v.strictObject({ queued: v.number(), running: v.number() }),
    agents: v.number(),
    memory: v.strictObject({ edge_bytes: v.number() }),
    limits: v.record(v.string(), v.number()),
  }),
  annotations: reads,
  toText: ({ version, workspace, workers, queue, agents }) =>
    [
      `Millwright ${version}, workspace ${workspace}, ${agents} agents, ${queue.running} jobs running, ${queue.queued} queued`,
      ...(workers.length === 0 ? ['No worker is connected: start one with npm run worker'] : []),
      ...workers.flatMap((worker) => [
        `Worker for ${worker.repository}`,
        ...worker.models.map((model) => `Model ${model.name}: ${model.state}. ${model.detail}`),
        ...worker.notices.map((notice) => `Note: ${notice}`),
      ]),
    ].join('\n'),
})
