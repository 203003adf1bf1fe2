import { type BenchStack, SAMPLE_PATH, startBenchStack } from '../bench-stack.ts'
import type { Figure } from '../figure.ts'
import { createKeepAliveClient } from '../keep-alive-client.ts'
import { residentMiB } from '../resident-memory.ts'
import { type Row, toRow } from '../row.ts'
import { createToolCalls, type ToolCalls } from '../tool-calls.ts'

const AGENTS = 1000
/** The later ones tell whether what the first calls took is a floor that is reached or a slope. */
const CALLS = [1000, 3000, 6000] as const
const CALLS_QUICK = [200] as const
const parts = ['functions', 'worker', 'nats'] as const
type Memory = Record<(typeof parts)[number], number>

interface Afterwards {
  readonly calls: number
  readonly memory: Memory
}

/**
 * Resident memory of the stack's processes with a thousand agents, at rest and after a thousand calls of all kinds. The
 * model's child process is not part of it: its size is the model's.
 */
export const measureMemory: Figure = async ({ quick, signal, log }) => {
  if (process.platform !== 'linux') {
    log('memory: left out, this system does not tell it as Linux does')
    return []
  }
  const empty = await withStack(0, signal, async (world) => readMemory(world))
  return withStack(AGENTS, signal, async (world) => {
    const rest = readMemory(world)
    const after: Afterwards[] = []
    let made = 0
    for (const calls of quick ? CALLS_QUICK : CALLS) {
      log(`memory: ${calls} calls`)
      await makeMixedCalls(world, calls - made, signal)
      made = calls
      after.push({ calls, memory: readMemory(world) })
    }
    return toRows(empty, rest, after)
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

function readMemory({ stack }: BenchStack): Memory {
  const pids = stack.pids()
  const read = (part: keyof Memory) => {
    const pid = pids[part]
    if (pid === undefined) throw new Error(`Cannot tell the memory of ${part}: it does not run`)
    return residentMiB(pid)
  }
  return { functions: read('functions'), worker: read('worker'), nats: read('nats') }
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
    (to, index) => to.call('write_file', { path: `src/out_${index % 7}.py`, content: `number = ${index}\n` }),
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

function toRows(empty: Memory, rest: Memory, after: readonly Afterwards[]): Row[] {
  const both = ({ functions, worker }: Memory) => functions + worker
  const nameAfter = (calls: number) => `${AGENTS} agents, after ${calls} mixed calls`
  const row = (name: string, value: number, other?: { name: string; value: number }) =>
    toRow({
      name,
      value,
      unit: 'MiB',
      ...(other === undefined ? {} : { comparedWith: { name: other.name, ratio: value / other.value } }),
    })
  const whole = { name: `functions + worker, ${AGENTS} agents, at rest`, value: both(rest) }
  const none = { name: 'functions + worker, no agents, at rest', value: both(empty) }
  const grown = after.map(({ calls, memory }) => ({
    name: `functions + worker, ${nameAfter(calls)}`,
    value: both(memory),
  }))
  const last = after.at(-1)
  return [
    row(none.name, none.value),
    row(whole.name, whole.value, none),
    ...grown.map(({ name, value }, index) => row(name, value, index === 0 ? whole : grown[index - 1])),
    ...parts.flatMap((part) => {
      const before = { name: `${part}, ${AGENTS} agents, at rest`, value: rest[part] }
      const grownTo = last === undefined ? [] : [row(`${part}, ${nameAfter(last.calls)}`, last.memory[part], before)]
      return [row(before.name, before.value), ...grownTo]
    }),
  ]
}
