import { connectClient } from '#test/support/mcp.ts'
import { modelProcessesOf } from '#test/support/processes.ts'
import { type BenchStack, SAMPLE_PATH, startBenchStack } from '../bench-stack.ts'
import type { Figure } from '../figure.ts'
import { createKeepAliveClient } from '../keep-alive-client.ts'
import { forgetPeak, peakMiB, residentMiB } from '../resident-memory.ts'
import { type Row, toRow } from '../row.ts'
import { createToolCalls, type ToolCalls } from '../tool-calls.ts'

const AGENTS = 1000
/** The later ones tell whether what the first calls took is a floor that is reached or a slope. */
const CALLS = 1000
const CALLS_LATER = [3000, 6000] as const
const CALLS_QUICK = 200
const parts = ['functions', 'worker', 'model process', 'nats-server'] as const
type Part = (typeof parts)[number]
type Memory = Record<Part, number>

/**
 * Resident memory of each of the stack's processes with a thousand agents: at rest, at the peak while a thousand calls of
 * all kinds and chat jobs beside them run, and when these are done. The model is the embedded one.
 */
export const measureMemory: Figure = async ({ quick, signal, log }) => {
  if (process.platform !== 'linux') {
    log('memory: left out, this system does not tell it as Linux does')
    return []
  }
  const empty = await withStack(0, signal, async (world) => readMemory(world, residentMiB))
  return withStack(AGENTS, signal, async (world) => {
    const rest = readMemory(world, residentMiB)
    for (const pid of Object.values(processesOf(world))) forgetPeak(pid)
    const calls = quick ? CALLS_QUICK : CALLS
    const jobs = await makeMixedWork(world, calls, signal)
    const [peak, after] = [readMemory(world, peakMiB), readMemory(world, residentMiB)]
    const rows = toRows({ empty, rest, peak, after }, `${calls} mixed calls and ${jobs} chat jobs`)
    let made = calls
    for (const later of quick ? [] : CALLS_LATER) {
      log(`memory: ${later} calls`)
      await makeMixedCalls(world, later - made, signal)
      made = later
      const both = together(readMemory(world, residentMiB))
      const comparedWith = { name: `functions + worker, ${AGENTS} agents, at rest`, ratio: both / together(rest) }
      rows.push(
        toRow({ name: `functions + worker, after ${later} mixed calls`, value: both, unit: 'MiB', comparedWith }),
      )
    }
    return rows
  })
}

async function withStack<T>(agents: number, signal: AbortSignal, work: (world: BenchStack) => Promise<T>): Promise<T> {
  const world = await startBenchStack({ agents, signal })
  try {
    return await work(world)
  } finally {
    await world.stop()
  }
}

function readMemory(world: BenchStack, read: (pid: number) => number): Memory {
  const pids = processesOf(world)
  return {
    functions: read(pids.functions),
    worker: read(pids.worker),
    'model process': read(pids['model process']),
    'nats-server': read(pids['nats-server']),
  }
}

function processesOf({ stack }: BenchStack): Record<Part, number> {
  const { functions, worker, nats } = stack.pids()
  const model = worker === undefined ? undefined : modelProcessesOf(worker)[0]
  if (functions === undefined || worker === undefined || nats === undefined || model === undefined) {
    throw new Error('Cannot tell the memory of the stack: a part of it does not run')
  }
  return { functions, worker, 'model process': model, 'nats-server': nats }
}

/** Chat jobs one after the other for as long as the calls take, at least one. Answers how many. */
async function makeMixedWork(world: BenchStack, calls: number, signal: AbortSignal): Promise<number> {
  const client = await connectClient(world.stack.url, world.stack.token)
  try {
    let done = false
    const mixed = makeMixedCalls(world, calls, signal).finally(() => {
      done = true
    })
    let jobs = 0
    try {
      do {
        const agent_id = `writer-${jobs++}`
        const task = { managed_file: `${agent_id}.py`, system_prompt: 'Generate data structures' }
        await client.ok('create_agent', { agent_id, name: agent_id, ...task })
        await client.ok('chat_with_agent', { agent_id, message: 'Create a User model with id, name, email' })
      } while (!done)
    } finally {
      await mixed
    }
    return jobs
  } finally {
    await client.close()
  }
}

/** What an assistant's work is made of: mostly reading, now and then a look at git, sometimes a write. */
async function makeMixedCalls({ stack }: BenchStack, count: number, signal: AbortSignal): Promise<void> {
  const client = createKeepAliveClient(4)
  const tools = createToolCalls(client, stack)
  const mix: ((tools: ToolCalls, index: number) => Promise<unknown>)[] = [
    ...Array.from({ length: 8 }, () => (to: ToolCalls) => to.call('read_file', { path: SAMPLE_PATH })),
    ...Array.from({ length: 4 }, () => (to: ToolCalls) => to.call('list_agents', {})),
    (to) => to.call('list_agents', { query: 'agent 7', limit: 200 }),
    (to) => to.call('get_agent_info', { agent_id: 'agent-000500' }),
    (to) => to.call('list_files', {}),
    (to) => to.call('search_files', { pattern: 'value_12' }),
    (to) => to.call('validate_file', { path: SAMPLE_PATH }),
    (to) => to.call('get_server_info', {}),
    (to) => to.call('git_status', {}),
    (to, index) =>
      to.call('write_file', { path: `src/out_${index % 7}.py`, content: `number = ${index}\n`, confirm: true }),
  ]
  let next = 0
  try {
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        while (next < count) {
          signal.throwIfAborted()
          const index = next++
          await mix[index % mix.length]?.(tools, index)
        }
      }),
    )
  } finally {
    client.close()
  }
}

function toRows(
  { empty, rest, peak, after }: Record<'empty' | 'rest' | 'peak' | 'after', Memory>,
  work: string,
): Row[] {
  const row = (name: string, value: number, other?: { name: string; value: number }) =>
    toRow({
      name,
      value,
      unit: 'MiB',
      ...(other === undefined ? {} : { comparedWith: { name: other.name, ratio: value / other.value } }),
    })
  const [atRest, atPeak, afterwards] = [`${AGENTS} agents, at rest`, `at the peak of ${work}`, `after ${work}`]
  const none = { name: 'functions + worker, no agents, at rest', value: together(empty) }
  const whole = { name: `functions + worker, ${atRest}`, value: together(rest) }
  return [
    row(none.name, none.value),
    row(whole.name, whole.value, none),
    row(`functions + worker, ${afterwards}`, together(after), whole),
    ...parts.flatMap((part) => {
      const before = { name: `${part}, ${atRest}`, value: rest[part] }
      return [
        row(before.name, before.value),
        row(`${part}, ${atPeak}`, peak[part], before),
        row(`${part}, ${afterwards}`, after[part], before),
      ]
    }),
  ]
}

/** Without the model's process, whose size is the model's. */
const together = ({ functions, worker }: Memory): number => functions + worker
