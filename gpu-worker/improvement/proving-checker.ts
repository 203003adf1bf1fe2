import { AppError } from '#shared/errors.ts'
import type { Checks, Violation } from '#shared/schemas/check.ts'
import type { CodeFigures, Proof } from '#shared/tools/improvement-outcome.ts'
import type { FileChecker } from '../ports/file-checker.ts'
import type { Oracle, OracleFacts } from './oracle.ts'

/** What was found of one candidate, beside its checks. */
export interface Judgement {
  readonly proof: readonly Proof[]
  readonly facts: OracleFacts
  /** Null where nothing measures such a file. */
  readonly figures: CodeFigures | null
}

export interface ProvingCheckerOptions {
  readonly checker: FileChecker
  /** Asked in this order, up to the first that objects: the cheap ones stand first. */
  readonly oracles: readonly Oracle[]
  /** The text that the oracles were made with. */
  readonly before: string | null
  readonly measure: ((text: string, signal: AbortSignal) => Promise<CodeFigures>) | null
  readonly onOracle: (oracle: Oracle, round: number) => void
}

export interface ProvingChecker extends FileChecker {
  /** What was found where a check of this checker ended with just this object of verdicts; undefined for any other. */
  judgementOf(checks: unknown): Judgement | undefined
}

/**
 * The checks of a file, and where they pass those of the oracles. `check` rejects with `conflict` where the file is no
 * longer the one that the oracles know. Closing it leaves the checker below open, whose owner closes it.
 */
export function createProvingChecker(options: ProvingCheckerOptions): ProvingChecker {
  const { checker, oracles, before, measure, onOracle } = options
  const judgements = new WeakMap<object, Judgement>()
  let round = 0

  async function judge(text: string, signal: AbortSignal) {
    const ran: string[] = []
    const violations: Violation[] = []
    const proof: Proof[] = []
    let facts: OracleFacts = {}
    for (const oracle of oracles) {
      onOracle(oracle, round)
      const verdict = await oracle.judge(text, signal)
      ran.push(oracle.rule)
      proof.push({ rule: oracle.rule, ...verdict.proof })
      facts = { ...facts, ...verdict.facts }
      violations.push(...verdict.objections.map((message) => toViolation(oracle.rule, message)))
      if (verdict.objections.length > 0) break
    }
    return { ran, violations, proof, facts }
  }

  return {
    async check(request, signal = new AbortController().signal) {
      round++
      const { path, text } = request
      if (request.before !== before) {
        throw new AppError('conflict', `Cannot improve "${path}": it was changed meanwhile`, {
          hint: 'What somebody else wrote was kept; ask again',
        })
      }
      const found = await checker.check(request, signal)
      const figures = measure === null || found.syntaxErrors.length > 0 ? null : await measure(text, signal)
      if (!found.checks.passed) {
        judgements.set(found.checks, { proof: [], facts: {}, figures })
        return found
      }
      const { ran, violations, ...judged } = await judge(text, signal)
      const checks: Checks = {
        ...found.checks,
        passed: violations.length === 0,
        ran: [...found.checks.ran, ...ran],
        violations: [...found.checks.violations, ...violations],
      }
      judgements.set(checks, { ...judged, figures })
      return { ...found, checks }
    },
    rules: async (path) => [...(await checker.rules(path)), ...oracles.map(({ asks }) => asks)],
    lineLimit: (path) => checker.lineLimit(path),
    close: async () => {},
    judgementOf: (checks) => (typeof checks === 'object' && checks !== null ? judgements.get(checks) : undefined),
  }
}

const toViolation = (rule: string, message: string): Violation => ({
  rule,
  severity: 'error',
  message,
  line: null,
  column: null,
})
