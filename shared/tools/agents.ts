import * as v from 'valibot'
import {
  CHAT_MESSAGE_CHARACTERS_MAX,
  DESCRIPTION_CHARACTERS_MAX,
  NAME_CHARACTERS_MAX,
  PAGE_MAX,
  SYSTEM_PROMPT_CHARACTERS_MAX,
} from '../protocol/limits.ts'
import { Agent, AgentMessage, AgentSummary } from '../schemas/agent.ts'
import { Checks } from '../schemas/check.ts'
import { Job, Usage, UsageTotal } from '../schemas/job.ts'
import { adds, changes, defineTool, reads, removes } from './define-tool.ts'
import { agentId, checksToText, context, cursor, diffToText, jobId, limit, name, path } from './fields.ts'
import { defineJobTool, jobEntries } from './job-tool.ts'

const systemPrompt = v.pipe(v.string(), v.maxLength(SYSTEM_PROMPT_CHARACTERS_MAX))
const model = v.pipe(v.string(), v.minLength(1), v.maxLength(NAME_CHARACTERS_MAX))
const description = v.pipe(v.string(), v.maxLength(DESCRIPTION_CHARACTERS_MAX))

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

const usageTotalToText = (total: UsageTotal): string =>
  `Cost so far: ${total.jobs} job(s), ${total.prompt_tokens} prompt tokens (${total.cached_prompt_tokens} cached) + ${total.completion_tokens} answer tokens, ${seconds(total.generating_ms)} writing, ${seconds(total.queue_ms)} waiting for the model`

const agentLine = (agent: AgentSummary): string =>
  `${agent.agent_id}  ${agent.managed_file}  ${agent.state}  ${agent.name}`

export const createAgent = defineTool({
  name: 'create_agent',
  family: 'agents',
  place: 'edge',
  core: true,
  title: 'Create agent',
  description: 'Create an agent that owns one file (existing or new). A file has one owner at most.',
  input: v.strictObject({
    agent_id: agentId,
    name,
    managed_file: path,
    system_prompt: systemPrompt,
    model: v.optional(model),
    description: v.optional(description),
  }),
  output: v.strictObject({ agent: Agent }),
  annotations: adds,
  toText: ({ agent }) => `Created agent ${agent.agent_id}, the only writer of ${agent.managed_file}`,
})

export const listAgents = defineTool({
  name: 'list_agents',
  family: 'agents',
  place: 'edge',
  core: true,
  title: 'List agents',
  description: 'List agents, by id. query matches id, name or file.',
  input: v.strictObject({
    cursor: v.optional(cursor),
    limit: v.optional(limit),
    query: v.optional(v.pipe(v.string(), v.maxLength(NAME_CHARACTERS_MAX))),
  }),
  output: v.strictObject({ agents: v.array(AgentSummary), next_cursor: v.nullable(v.string()), total: v.number() }),
  annotations: reads,
  toText: ({ agents, next_cursor, total }) =>
    [
      `${agents.length} of ${total} agents`,
      ...agents.map(agentLine),
      ...(next_cursor === null ? [] : [`More: cursor ${next_cursor}`]),
    ].join('\n'),
})

export const getAgentInfo = defineTool({
  name: 'get_agent_info',
  family: 'agents',
  place: 'edge',
  core: false,
  title: 'Agent details',
  description: "An agent's settings, the state of its file, its recent jobs and messages.",
  input: v.strictObject({
    agent_id: agentId,
    history_limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(PAGE_MAX))),
  }),
  output: v.strictObject({
    agent: Agent,
    /** Null while no worker is connected, or where the path is no longer usable: `file_error` says which. */
    file: v.nullable(
      v.strictObject({ exists: v.boolean(), line_count: v.nullable(v.number()), sha256: v.nullable(v.string()) }),
    ),
    file_error: v.nullable(v.strictObject({ code: v.string(), message: v.string() })),
    /** Of all its jobs that have ended, also those that are no longer listed. */
    usage_total: UsageTotal,
    jobs: v.array(Job),
    messages: v.array(AgentMessage),
  }),
  annotations: reads,
  toText: ({ agent, file, file_error, usage_total, jobs, messages }) =>
    [
      `${agent.agent_id} (${agent.name}), ${agent.state}, model ${agent.model ?? 'default'}`,
      file === null
        ? `File ${agent.managed_file}: unknown (${file_error?.message ?? 'no worker'})`
        : `File ${agent.managed_file}: ${file.exists ? `${file.line_count} lines, sha256 ${file.sha256}` : 'does not exist yet'}`,
      `System prompt: ${agent.system_prompt}`,
      usageTotalToText(usage_total),
      ...jobs.map(
        (job) => `Job ${job.job_id} ${job.tool} ${job.state}${job.error === null ? '' : `: ${job.error.message}`}`,
      ),
      ...messages.map((message) => `${message.role}: ${message.text}`),
    ].join('\n'),
})

export const updateAgent = defineTool({
  name: 'update_agent',
  family: 'agents',
  place: 'edge',
  core: false,
  title: 'Update agent',
  description: 'Change the named fields of an agent. A new managed_file must be free; the old file stays.',
  input: v.strictObject({
    agent_id: agentId,
    name: v.optional(name),
    system_prompt: v.optional(systemPrompt),
    managed_file: v.optional(path),
    model: v.optional(model),
  }),
  output: v.strictObject({ agent: Agent }),
  annotations: { ...changes, destructiveHint: false, idempotentHint: true },
  toText: ({ agent }) => `Updated agent ${agent.agent_id}, the only writer of ${agent.managed_file}`,
})

export const deleteAgent = defineTool({
  name: 'delete_agent',
  family: 'agents',
  place: 'edge',
  core: false,
  title: 'Delete agent',
  description: 'Remove an agent and cancel its jobs. Its file stays.',
  input: v.strictObject({ agent_id: agentId }),
  output: v.strictObject({ deleted: v.boolean(), agent_id: v.string(), managed_file: v.string() }),
  annotations: removes,
  toText: ({ agent_id, managed_file }) => `Deleted agent ${agent_id}; ${managed_file} stays`,
})

/** What a chat job ends with. Also the answer of `get_job` for it. */
export const ChatOutcome = v.strictObject({
  reply: v.string(),
  changed: v.boolean(),
  diff: v.string(),
  diff_truncated: v.boolean(),
  checks: v.nullable(Checks),
  attempts: v.number(),
  usage: Usage,
  /** Set by `propose`: pass it as `accept` to write exactly these bytes. */
  proposal_id: v.nullable(v.string()),
  sha256: v.nullable(v.string()),
})
export type ChatOutcome = v.InferOutput<typeof ChatOutcome>

const chatOutcomeToText = (outcome: ChatOutcome): string =>
  [
    outcome.reply,
    ...(outcome.diff === '' ? [] : [diffToText(outcome.diff)]),
    ...(outcome.checks === null ? [] : [checksToText(outcome.checks)]),
    ...(outcome.proposal_id === null
      ? []
      : [`Nothing written yet. To write exactly this: accept "${outcome.proposal_id}"`]),
    `${outcome.attempts} attempt(s), ${outcome.usage.prompt_tokens} prompt tokens (${outcome.usage.cached_prompt_tokens} cached) + ${outcome.usage.completion_tokens} answer tokens, ${outcome.usage.model}`,
  ]
    .filter((line) => line !== '')
    .join('\n')

export const chatWithAgent = defineJobTool({
  name: 'chat_with_agent',
  family: 'agents',
  core: true,
  title: 'Give an agent a task',
  description:
    "The local model does the task on the agent's file: edit (default) checks and writes it, propose writes nothing until accepted with accept, ask only answers. Returns the diff. Still running after wait_seconds: use get_job.",
  input: v.strictObject({
    agent_id: agentId,
    message: v.pipe(v.string(), v.minLength(1), v.maxLength(CHAT_MESSAGE_CHARACTERS_MAX)),
    context: v.optional(context),
    mode: v.optional(v.picklist(['edit', 'ask', 'propose'])),
    accept: v.optional(v.pipe(jobId, v.description('proposal_id to write as it was proposed'))),
    revert: v.optional(v.pipe(jobId, v.description('Job whose write to take back'))),
    ...jobEntries,
  }),
  outcome: ChatOutcome,
  annotations: changes,
  outcomeToText: chatOutcomeToText,
})
