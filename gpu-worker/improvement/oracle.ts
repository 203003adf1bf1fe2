import type { Measurement, MutantReport, Proof, TestComparison } from '#shared/tools/improvement-outcome.ts'

/** What an oracle learnt of a candidate, beside its verdict. */
export interface OracleFacts {
  readonly tests?: TestComparison
  readonly mutants?: MutantReport
  readonly measurement?: Measurement
}

export interface OracleVerdict {
  /** Why the candidate is not kept, as messages that tell a model what to do. Empty: it may be kept. */
  readonly objections: readonly string[]
  readonly proof: Omit<Proof, 'rule'>
  readonly facts?: OracleFacts
}

/**
 * A judge of candidates that is not the model: figures, tests, a measured command. It is made with what was there before,
 * and looks at each candidate before that is anywhere in the repository. Its verdict is one more check of the file.
 */
export interface Oracle {
  /** Its name among the checks. */
  readonly rule: string
  /** What it asks, as a line for the prompt. */
  readonly asks: string
  /** Rejects with `cancelled`, and with `unavailable` where nothing can be said: then nothing is kept. */
  judge(text: string, signal: AbortSignal): Promise<OracleVerdict>
}

export const held = (how: string, facts?: OracleFacts): OracleVerdict => ({
  objections: [],
  proof: { proven: true, how },
  ...(facts === undefined ? {} : { facts }),
})

/** For what may be kept although nothing here can show that it is right. */
export const unproven = (how: string): OracleVerdict => ({ objections: [], proof: { proven: false, how } })

export const refused = (objections: readonly [string, ...string[]], facts?: OracleFacts): OracleVerdict => ({
  objections,
  proof: { proven: false, how: objections[0] },
  ...(facts === undefined ? {} : { facts }),
})
