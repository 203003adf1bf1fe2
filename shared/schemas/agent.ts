import * as v from 'valibot'
import { AgentId } from '../ids.ts'

/** What the registry knows of an agent and shows to callers. Times are ISO 8601 in UTC. */
export const Agent = v.strictObject({
  agent_id: AgentId,
  name: v.string(),
  /** Repository path in normal form. */
  managed_file: v.string(),
  system_prompt: v.string(),
  /** A configured model's name; null means the worker's default. */
  model: v.nullable(v.string()),
  description: v.nullable(v.string()),
  state: v.picklist(['idle', 'working']),
  created_at: v.string(),
  updated_at: v.string(),
})
export type Agent = v.InferOutput<typeof Agent>

/** The part of an agent that a list shows: system prompts can be long. */
export const AgentSummary = v.omit(Agent, ['system_prompt'])
export type AgentSummary = v.InferOutput<typeof AgentSummary>

/** One turn of an agent's conversation. */
export const AgentMessage = v.strictObject({
  role: v.picklist(['user', 'agent']),
  text: v.string(),
  job_id: v.nullable(v.string()),
  created_at: v.string(),
})
export type AgentMessage = v.InferOutput<typeof AgentMessage>

/** One earlier task of an agent, as its model is told of it. `answer` is null where of `task` only the first words are left. */
export const EarlierTask = v.object({ task: v.string(), answer: v.nullable(v.string()) })
export type EarlierTask = v.InferOutput<typeof EarlierTask>

/** What the worker is told of the acting agent with each call. */
export const ActingAgent = v.object({
  agent_id: AgentId,
  managed_file: v.string(),
  system_prompt: v.string(),
  model: v.nullable(v.string()),
})
export type ActingAgent = v.InferOutput<typeof ActingAgent>

/** The part of an agent's record that a worker acts by. */
export const toActingAgent = ({ agent_id, managed_file, system_prompt, model }: Agent): ActingAgent => ({
  agent_id,
  managed_file,
  system_prompt,
  model,
})
