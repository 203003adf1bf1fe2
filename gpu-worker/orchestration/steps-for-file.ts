import type { ImprovementAction } from '#shared/tools/improvement-outcome.ts'
import type { MeasuredFile } from './measure.ts'

export interface WantedStep {
  readonly path: string
  readonly action: ImprovementAction
  readonly why: string
  /** The file that is written: this one, or its tests. */
  readonly writes: string
}

export interface Wanted {
  /** The actions that the goal names; null for those that the figures ask for. */
  readonly actions: ReadonlySet<ImprovementAction> | null
  /** A goal that names no action is one for refactoring, whatever the figures say. */
  readonly hasGoal: boolean
  /** False where no test could run. */
  readonly canTest: boolean
  readonly hasTests: (path: string) => boolean
  /** Where the tests of a file would stand; null where its language has no habit that is known. */
  readonly testPlace: (path: string) => string | null
}

/** What too long or too complex code breaks. */
const structureRules = new Set(['complexity', 'function_length', 'nesting', 'parameters', 'line_limit'])

/** What to do for a file, in this order: say what it does, make it simpler, test it. */
export function stepsForFile({ path, report }: MeasuredFile, wanted: Wanted): WantedStep[] {
  const steps: WantedStep[] = []
  const add = (action: ImprovementAction, why: string, writes = path): void => {
    if (wanted.actions === null || wanted.actions.has(action)) steps.push({ path, action, why, writes })
  }
  const missing = report.missing_docs?.length ?? 0
  if (missing > 0)
    add('generate_documentation', `${missing} public name${missing === 1 ? ' has' : 's have'} no documentation`)
  const structure = report.issues.filter(({ rule }) => structureRules.has(rule))
  const [first] = structure
  const functions = report.complexity?.functions.length ?? 0
  if (first !== undefined) {
    add('refactor_code', structure.length === 1 ? first.message : `${first.message}; and ${structure.length - 1} more`)
  } else if (functions > 0 && isAsked('refactor_code', wanted)) {
    add('refactor_code', 'the goal asks for it')
  }
  const place = functions > 0 && wanted.canTest && !wanted.hasTests(path) ? wanted.testPlace(path) : null
  if (place !== null) add('generate_tests', 'no test is named after it', place)
  return steps
}

const isAsked = (action: ImprovementAction, { actions, hasGoal }: Wanted): boolean =>
  hasGoal && (actions === null || actions.has(action))
