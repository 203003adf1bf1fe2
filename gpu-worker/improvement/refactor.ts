import { createExcusesOracle } from './excuses-oracle.ts'
import { createFiguresOracle } from './figures-oracle.ts'
import { figuresOf } from './goal-figures.ts'
import { type CodeFile, claimCode, type Plan, type PlanRequest } from './plan.ts'
import { createPublicNamesOracle } from './public-names-oracle.ts'
import { createSuiteOracle } from './suite-oracle.ts'

const FUNCTIONS_TOLD_MAX = 3

/** A change of form: no figure gets worse and one that the goal is about gets better, public names stay, tests pass as before. */
export async function planRefactoring(goal: string, request: PlanRequest): Promise<Plan> {
  const { ports, signal, tell } = request
  const file = await claimCode('refactor', request)
  const wanted = figuresOf(goal)
  return {
    file,
    context: [],
    message: `Refactor this file: ${goal}\nKeep what the code does, and all names that others may use.${await worst(file, request)}`,
    oracles: [
      await createPublicNamesOracle(ports.parser, file, !wanted.includes('parameters'), signal),
      await createExcusesOracle(file, request),
      createFiguresOracle({ before: file.figures, measure: file.measure, wanted }),
      await createSuiteOracle(ports.suite, file, signal, tell),
    ],
  }
}

/** The functions that are hardest to follow, as a line for the model; empty where none has a branch. */
async function worst({ language, text }: CodeFile, { ports, signal }: PlanRequest): Promise<string> {
  const outcome = await ports.parser.parse(language, text, signal)
  const functions = outcome.kind === 'parsed' ? (outcome.complexity?.functions ?? []) : []
  const told = functions
    .filter(({ cyclomatic }) => cyclomatic > 1)
    .sort((a, b) => b.cognitive - a.cognitive || b.cyclomatic - a.cyclomatic)
    .slice(0, FUNCTIONS_TOLD_MAX)
    .map((each) => `\`${each.name}\` (line ${each.line}): cognitive ${each.cognitive}, cyclomatic ${each.cyclomatic}`)
  return told.length === 0 ? '' : `\nMost complex: ${told.join('; ')}.`
}
