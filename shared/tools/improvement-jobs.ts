import * as v from 'valibot'
import { CHAT_MESSAGE_CHARACTERS_MAX } from '../protocol/limits.ts'
import { changes } from './define-tool.ts'
import { agentId, name, path } from './fields.ts'
import { ImprovementOutcome, improvementToText } from './improvement-outcome.ts'
import { defineJobTool, jobEntries } from './job-tool.ts'

// The four that change a file through the local model and keep the change only where something else says that it is better.

const common = {
  family: 'improvement',
  outcome: ImprovementOutcome,
  annotations: changes,
  outcomeToText: improvementToText,
} as const

/** A path of a file that no agent owns, or an agent. */
const target = { agent_id: v.optional(agentId), path: v.optional(path) }
const isNamed = (input: { agent_id?: unknown; path?: unknown }): boolean =>
  input.agent_id !== undefined || input.path !== undefined
const NOT_NAMED = 'give agent_id or path'

export const refactorCode = defineJobTool({
  ...common,
  name: 'refactor_code',
  title: 'Refactor code',
  description: "The model refactors the agent's file. Kept if metrics improve and tests still pass.",
  input: v.strictObject({
    agent_id: agentId,
    goal: v.pipe(v.string(), v.minLength(1), v.maxLength(CHAT_MESSAGE_CHARACTERS_MAX)),
    ...jobEntries,
  }),
})

export const generateDocumentation = defineJobTool({
  ...common,
  name: 'generate_documentation',
  title: 'Generate documentation',
  description: "The model writes missing docstrings or the folder's README. Kept if code is unchanged.",
  input: v.pipe(
    v.strictObject({ ...target, kind: v.optional(v.picklist(['docstrings', 'readme'])), ...jobEntries }),
    v.check((input) => isNamed(input), NOT_NAMED),
  ),
})

export const generateTests = defineJobTool({
  ...common,
  name: 'generate_tests',
  title: 'Generate tests',
  description: 'The model writes tests. Kept if they pass, and fail on broken code.',
  input: v.pipe(
    v.strictObject({ ...target, ...jobEntries }),
    v.check((input) => isNamed(input), NOT_NAMED),
  ),
})

export const optimizePerformance = defineJobTool({
  ...common,
  name: 'optimize_performance',
  title: 'Optimize performance',
  description:
    "The model makes the agent's file faster. Kept if a measure of millwright.json says so and tests still pass.",
  input: v.strictObject({
    agent_id: agentId,
    measure: v.optional(name),
    ...jobEntries,
  }),
})
