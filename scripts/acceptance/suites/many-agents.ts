import assert from 'node:assert/strict'
import type { SuiteRecorder } from '../recorder.ts'
import type { AcceptanceWorld } from '../world.ts'

const AT_ONCE = 8
const LIST_PAGE = 50

/** Registers agents and lists them all, page by page. Answers how many there were at the same time. */
export async function runManyAgents(
  { run }: SuiteRecorder,
  { measured }: AcceptanceWorld,
  count: number,
): Promise<number> {
  const ids = Array.from({ length: count }, (_, at) => `crowd-${String(at + 1).padStart(5, '0')}`)
  let listed = 0
  await run({ name: `${count} agents are registered`, severity: 'MEDIUM' }, async () => {
    const waiting = [...ids]
    const createNext = async (): Promise<void> => {
      for (let agent_id = waiting.pop(); agent_id !== undefined; agent_id = waiting.pop()) {
        const agent = { agent_id, name: agent_id, managed_file: `crowd/${agent_id}.py`, system_prompt: 'One of many' }
        await measured.ok('create_agent', agent, { isLoad: true })
      }
    }
    const begun = performance.now()
    await Promise.all(Array.from({ length: AT_ONCE }, createNext))
    return `${Math.round((performance.now() - begun) / count)} ms each, ${AT_ONCE} calls at a time`
  })
  await run({ name: 'All of them are listed, page by page', severity: 'MEDIUM' }, async () => {
    const found = new Set<string>()
    const times: number[] = []
    let cursor: string | null = null
    do {
      const begun = performance.now()
      const page: Record<string, unknown> = await measured.ok('list_agents', {
        limit: LIST_PAGE,
        ...(cursor === null ? {} : { cursor }),
      })
      times.push(performance.now() - begun)
      for (const { agent_id } of page.agents as { agent_id: string }[]) found.add(agent_id)
      cursor = page.next_cursor as string | null
    } while (cursor !== null)
    const lost = ids.filter((id) => !found.has(id))
    assert.deepEqual(lost, [], `${lost.length} agents are not in the list`)
    listed = found.size
    return `${found.size} agents, ${times.length} pages of ${LIST_PAGE}, the slowest in ${Math.round(Math.max(...times))} ms`
  })
  await run({ name: 'One of them is found by its name', severity: 'MEDIUM' }, async () => {
    const [last = ''] = ids.slice(-1)
    const { agents } = await measured.ok('list_agents', { query: last })
    assert.deepEqual(
      (agents as { agent_id: string }[]).map(({ agent_id }) => agent_id),
      [last],
    )
    return last
  })
  return listed
}
