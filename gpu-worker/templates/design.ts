import { AppError } from '#shared/errors.ts'
import type { JobProgress, Usage } from '#shared/schemas/job.ts'
import { answerRoom } from '../agent/answer-room.ts'
import { envelopeGrammar } from '../agent/envelope-grammar.ts'
import { createProgressReporter, type ProgressReporter } from '../agent/progress.ts'
import { parseReply } from '../agent/reply.ts'
import { sumUsage } from '../agent/usage.ts'
import type { AnswerGrammar } from '../ports/answer-grammar.ts'
import type { ChatTurn, LanguageModel } from '../ports/language-model.ts'
import { againPrompt, bodyPrompt, draftPrompt } from './design-prompt.ts'
import { type DraftSpec, draftSchema, readDraft } from './draft.ts'
import type { Problem } from './render-template.ts'
import { parseSpec, SPEC_HINT } from './spec.ts'
import { fromSpec, type Template } from './template.ts'
import { usedVariables, type ValidationPorts, validateSpec, validateTemplate } from './validate.ts'

/** As many as a task of an agent has. */
const ROUNDS_MAX = 3

export interface DesignPorts extends ValidationPorts {
  readonly model: LanguageModel
}

export interface DesignOptions {
  readonly signal: AbortSignal
  readonly onProgress: (progress: JobProgress) => void
}

export interface Design {
  readonly template: Template
  /** Answers of the model. */
  readonly attempts: number
  readonly usage: Usage
}

interface Run {
  readonly ports: DesignPorts
  readonly options: DesignOptions
  readonly progress: ProgressReporter
  readonly usages: Usage[]
}

/**
 * Lets the model make a template: first its spec, in a JSON form that it cannot leave and that holds no code, then each body
 * in a fence. What is wrong goes back to it, at most twice for each answer. What comes out has passed `validateTemplate`.
 *
 * Rejects with `checks_failed` (with `problems`, `reply`, `attempts` and `usage` in the details) where no round brought one, and
 * as LanguageModel does.
 */
export async function designTemplate(description: string, ports: DesignPorts, options: DesignOptions): Promise<Design> {
  const run: Run = { ports, options, progress: createProgressReporter('the template', options.onProgress), usages: [] }
  const { template: draft, purposes } = await designSpec(run, description)
  const bodies = new Map(draft.bodies)
  for (const [index, { body }] of draft.outputs.entries())
    bodies.set(body, await designBody(run, { ...draft, bodies }, index, purposes[index] ?? ''))
  const { template, problems } = await judgeUsed(run, { ...draft, bodies })
  if (problems.length > 0) throw refusal(run, problems, '')
  return { template, attempts: run.usages.length, usage: sumUsage(run.usages, ports.model.name) }
}

async function designSpec(run: Run, description: string): Promise<DraftSpec & { template: Template }> {
  const first = draftPrompt(description)
  const grammar: AnswerGrammar = { kind: 'json', schema: draftSchema }
  const again = 'Mend these and answer with the whole JSON object again.'
  return rounds(run, first, grammar, again, async (reply) => {
    const draft = readDraft(reply)
    if ('fault' in draft) return { problems: [toProblem('spec', draft.fault)] }
    const read = readSpec(draft.spec)
    if ('problems' in read) return read
    const problems = await validateSpec(read.template, run.ports.files)
    return problems.length === 0 ? { result: { ...draft, template: read.template } } : { problems }
  })
}

function readSpec(spec: unknown): { template: Template } | { problems: readonly Problem[] } {
  try {
    return { template: fromSpec(parseSpec(spec)) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { problems: [toProblem('spec', error.message)] }
  }
}

async function designBody(run: Run, template: Template, index: number, purpose: string): Promise<string> {
  const output = template.outputs[index]
  if (output === undefined) throw new Error('A body was asked for that no output has')
  const file = `${output.body}.liquid`
  const first = bodyPrompt(template, index, purpose)
  return rounds(
    run,
    first,
    envelopeGrammar(file, null),
    'Fix these and answer with the complete file again.',
    async (reply) => {
      const found = parseReply(reply, file)
      if (found.kind === 'fault') return { problems: [toProblem(file, found.message)] }
      const bodies = new Map([[output.body, found.text]])
      // Another body may use what this one does not.
      const { problems } = await judgeUsed(run, { ...template, outputs: [output], bodies })
      return problems.length === 0 ? { result: found.text } : { problems }
    },
  )
}

/** The template without the variables that its bodies and paths do not use, and what is wrong with it. */
async function judgeUsed(
  { ports, options }: Run,
  template: Template,
): Promise<{ template: Template; problems: readonly Problem[] }> {
  const names = usedVariables(template)
  const variables = Object.fromEntries(Object.entries(template.variables).filter(([name]) => names.has(name)))
  const used = { ...template, variables }
  return { template: used, problems: (await validateTemplate(used, ports, options.signal)).problems }
}

const toProblem = (where: string, message: string): Problem => ({ where, message, hint: 'Mend it' })

/** Asks until an answer passes, at most ROUNDS_MAX times; an answer that is repeated word for word is the last. */
async function rounds<T>(
  run: Run,
  first: readonly ChatTurn[],
  grammar: AnswerGrammar,
  again: string,
  judge: (reply: string) => Promise<{ result: T } | { problems: readonly Problem[] }>,
): Promise<T> {
  let turns = first
  let last: { reply: string; problems: readonly Problem[] } | undefined
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const reply = await ask(run, turns, grammar, round)
    run.progress.phase('checking', round)
    const judged = await judge(reply)
    if ('result' in judged) return judged.result
    const isRepeated = reply === last?.reply
    last = { reply, problems: judged.problems }
    if (isRepeated) break
    turns = againPrompt(
      first,
      reply,
      judged.problems.map(({ where, message }) => `${where}: ${message}`),
      again,
    )
  }
  throw refusal(run, last?.problems ?? [], last?.reply ?? '')
}

async function ask(run: Run, turns: readonly ChatTurn[], grammar: AnswerGrammar, round: number): Promise<string> {
  const { ports, options, progress } = run
  const answerTokensMax = await answerRoom(ports.model, turns, '', options.signal)
  const request = { turns, answerTokensMax, temperature: 0, grammar }
  const result = await ports.model.generate(request, {
    signal: options.signal,
    onProgress: (now) => progress.model(now, round),
  })
  run.usages.push(result.usage)
  return result.text
}

function refusal({ usages, ports }: Run, problems: readonly Problem[], reply: string): AppError {
  const [first] = problems
  return new AppError(
    'checks_failed',
    `Cannot make the template: the model's ${usages.length} answers brought none that passes (${first?.where}: ${first?.message})`,
    {
      hint: `Nothing was written. Say it in other words, or give the spec yourself. ${SPEC_HINT}`,
      details: { problems, reply, attempts: usages.length, usage: sumUsage(usages, ports.model.name) },
    },
  )
}
