import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { SAMPLE_PATH, startBenchStack } from '../bench-stack.ts'
import type { Figure } from '../figure.ts'
import { createKeepAliveClient } from '../keep-alive-client.ts'
import { timeInterleaved } from '../rounds.ts'
import { toRow } from '../row.ts'
import { median, medianRatio } from '../statistics.ts'
import { createToolCalls } from '../tool-calls.ts'

/** Other tools end to end, each beside what it cannot do without. For information: there is no target. */
export const measureTools: Figure = async ({ quick, signal }) => {
  const world = await startBenchStack({ signal })
  const client = createKeepAliveClient(1)
  try {
    const { repository, stack } = world
    const tools = createToolCalls(client, stack)
    let agents = 0
    let writes = 0
    const nextContent = () => `number = ${writes++}\n`
    const contenders = {
      read_file: tools.timed('read_file', () => ({ path: SAMPLE_PATH })),
      create_agent: tools.timed('create_agent', () => {
        const id = `bench-${agents++}`
        return { agent_id: id, name: id, managed_file: `agents/${id}.py`, system_prompt: 'You write Python.' }
      }),
      'git status by hand': () => repository.git('status', '--porcelain=v2', '--branch', '-z'),
      git_status: tools.timed('git_status', () => ({})),
      'a synced write by hand': () => writeDurably(join(repository.root, 'by-hand.py'), nextContent()),
      write_file: tools.timed('write_file', () => ({ path: 'src/written.py', content: nextContent(), confirm: true })),
    }
    const plan = quick ? { warmUp: 5, rounds: 3, callsPerRound: 5 } : { warmUp: 30, rounds: 12, callsPerRound: 15 }
    const times = await timeInterleaved(contenders, plan, signal)
    const row = (name: keyof typeof contenders, other?: keyof typeof contenders) => {
      const rounds = times[name]
      const measured = { name: `${name}, p50`, value: median(rounds.flat()), unit: 'ms' }
      if (other === undefined) return toRow(measured)
      const ratio = medianRatio(rounds.map(median), times[other].map(median))
      return toRow({ ...measured, comparedWith: { name: `${other}, p50`, ratio } })
    }
    return [
      row('read_file'),
      row('create_agent', 'read_file'),
      row('git status by hand'),
      row('git_status', 'git status by hand'),
      row('a synced write by hand'),
      row('write_file', 'a synced write by hand'),
    ]
  } finally {
    client.close()
    await world.stop()
  }
}

/** The least that survives a power cut: a temporary file, synced, renamed, and its folder synced. */
async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`
  const file = await open(temporary, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  const folder = await open(join(path, '..'))
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
