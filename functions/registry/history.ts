import * as v from 'valibot'
import { HISTORY_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { EarlierTask } from '#shared/schemas/agent.ts'
import { taskTitle } from '#shared/task-title.ts'
import type { SqlRow } from '../ports/sql.ts'

const MessageRow = v.object({ role: v.picklist(['user', 'agent']), text: v.string(), job_id: v.nullable(v.string()) })

/**
 * An agent's conversation as its model is told of it, oldest first, from its rows, newest first. The newest tasks come
 * whole, up to HISTORY_BYTES_MAX of JSON together; of each task before them only its first words. Damaged rows are left out.
 */
export function toHistory(rows: readonly SqlRow[]): EarlierTask[] {
  const messages = rows.map((row) => v.safeParse(MessageRow, row)).flatMap((row) => (row.success ? [row.output] : []))
  const history: EarlierTask[] = []
  let bytesLeft = HISTORY_BYTES_MAX
  for (const [index, { role, text, job_id }] of messages.entries()) {
    if (role !== 'user') continue
    const answer = messages[index - 1]
    const isWhole = answer?.role === 'agent' && answer.job_id === job_id
    const whole = { task: text, answer: isWhole ? answer.text : '' }
    bytesLeft -= new TextEncoder().encode(JSON.stringify(whole)).byteLength
    history.push(bytesLeft >= 0 ? whole : { task: taskTitle(text), answer: null })
    // What did not fit ends the whole ones: a gap in a conversation misleads.
    if (bytesLeft < 0) bytesLeft = 0
  }
  return history.reverse()
}
