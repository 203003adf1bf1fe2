import type { GetPromptResult, ListPromptsResult } from '@modelcontextprotocol/server'
import { AppError } from '#shared/errors.ts'
import { NAME_CHARACTERS_MAX, PAGE_MAX } from '#shared/protocol/limits.ts'
import { getAgentInfo, listAgents } from '#shared/tools/agents.ts'
import type { ToolDeclaration, ToolOutput } from '#shared/tools/define-tool.ts'
import type { CallContext } from '../tools/call-context.ts'
import type { ToolRunner } from './call-tool.ts'
import { delegate } from './prompts/delegate.ts'
import { improve } from './prompts/improve.ts'
import { planFeature } from './prompts/plan-feature.ts'
import { charactersMax, type PromptDeclaration, type Values, type Writer } from './prompts/prompt.ts'
import { review } from './prompts/review.ts'

/** Every prompt there is, in the order in which clients list them. */
export const prompts: readonly PromptDeclaration[] = [delegate, review, improve, planFeature]

/** The prompts of a client that has these tools. */
export const promptsWith = (tools: ReadonlySet<string>): readonly PromptDeclaration[] =>
  prompts.filter(({ needs }) => needs.every((tool) => tools.has(tool)))

export const toPromptList = (shown: readonly PromptDeclaration[]): ListPromptsResult => ({
  prompts: shown.map(({ name, title, description, arguments: all }) => ({
    name,
    title,
    description,
    arguments: all.map((each) => ({ name: each.name, description: each.description, required: each.required })),
  })),
})

/**
 * Writes a prompt out. Throws AppError: `invalid_input` for arguments that it does not take or that contradict each other,
 * `not_found` for an agent that is not there.
 */
export async function writePrompt(
  run: ToolRunner,
  prompt: PromptDeclaration,
  sent: unknown,
  context: CallContext,
): Promise<GetPromptResult> {
  const values = parseValues(prompt, sent)
  const text = prompt.write(values, await findWriter(run, values, context))
  return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] }
}

function parseValues(prompt: PromptDeclaration, sent: unknown): Values {
  const refuse = (what: string): AppError =>
    new AppError('invalid_input', `Cannot write the prompt "${prompt.name}": ${what}`, {
      hint: `It takes ${prompt.arguments.map(({ name, required }) => (required ? name : `[${name}]`)).join(', ')}`,
    })
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) throw refuse('its arguments are no object')
  const values: Record<string, string> = {}
  for (const [name, value] of Object.entries(sent)) {
    const argument = prompt.arguments.find((each) => each.name === name)
    if (argument === undefined) throw refuse('it has an argument that the prompt does not take')
    if (typeof value !== 'string') throw refuse(`${name} is no text`)
    const max = charactersMax[argument.kind]
    if (value.length > max) throw refuse(`${name} has ${value.length} characters, limit ${max}`)
    // Forms of clients send what was left empty.
    if (value.trim() !== '') values[name] = value
  }
  const missing = prompt.arguments.find(({ name, required }) => required && values[name] === undefined)
  if (missing !== undefined) throw refuse(`${missing.name} is missing`)
  return values
}

/** The agent that is named, or else the one that manages the named file: it saves the assistant a call. */
async function findWriter(run: ToolRunner, values: Values, context: CallContext): Promise<Writer | null> {
  const { agent_id, path } = values
  if (agent_id !== undefined) {
    const args = { agent_id: agent_id.trim(), history_limit: 0 }
    const { agent } = (await run(getAgentInfo as unknown as ToolDeclaration, args, context)) as ToolOutput<
      typeof getAgentInfo
    >
    if (path !== undefined && path.trim() !== agent.managed_file) {
      throw new AppError(
        'invalid_input',
        `Cannot write the prompt: agent "${agent.agent_id}" manages "${agent.managed_file}", not the file in path`,
        { hint: 'Give agent_id or path, not both' },
      )
    }
    return agent
  }
  // A longer path is not asked for: the prompt then says how to find out.
  if (path === undefined || path.length > NAME_CHARACTERS_MAX) return null
  const args = { query: path.trim(), limit: PAGE_MAX }
  const { agents } = (await run(listAgents as unknown as ToolDeclaration, args, context)) as ToolOutput<
    typeof listAgents
  >
  return agents.find(({ managed_file }) => managed_file === path.trim()) ?? null
}
