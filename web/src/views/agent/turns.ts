import type { AgentMessage } from '#shared/schemas/agent.ts'
import type { Job } from '#shared/schemas/job.ts'
import { chatWithAgent } from '#shared/tools/agents.ts'

/** One task of a conversation that has ended. */
export interface Turn {
  readonly jobId: string
  readonly task: string
  readonly answer: string
  readonly at: string
}

/** A conversation's tasks, oldest first. What belongs to no job is left out. */
export function toTurns(messages: readonly AgentMessage[]): Turn[] {
  const turns = new Map<string, Turn>()
  for (const { role, text, job_id, created_at } of messages) {
    if (job_id === null) continue
    const known = turns.get(job_id) ?? { jobId: job_id, task: '', answer: '', at: created_at }
    turns.set(job_id, role === 'user' ? { ...known, task: text } : { ...known, answer: text })
  }
  return [...turns.values()].sort((a, b) => a.at.localeCompare(b.at))
}

/** Jobs of the agent that have not ended, in the order in which they are worked on. */
export const liveJobs = (jobs: readonly Job[]): Job[] =>
  jobs
    .filter(({ state }) => state === 'queued' || state === 'running')
    .sort((a, b) => a.created_at.localeCompare(b.created_at))

/** The words with which the page accepts a proposal and takes a write back: by them it knows later that it was done. */
export const acceptTask = (jobId: string): string => `Accept the proposal ${jobId}`
export const revertTask = (jobId: string): string => `Take back ${jobId}`

const OWN_TASK = /^(?:Accept the proposal|Take back) job_\S+$/
/** Whether a task was the page's own and not words for a model. */
export const isOwnTask = (task: string): boolean => OWN_TASK.test(task)

/** A tool's name as a person reads it. */
export const jobTitle = (tool: string): string =>
  tool === chatWithAgent.name ? 'Task' : `${tool.charAt(0).toUpperCase()}${tool.slice(1).replaceAll('_', ' ')}`
