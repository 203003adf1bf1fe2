import type { Violation } from '#shared/schemas/check.ts'
import type { CheckRequest, FileCheck, FileChecker } from '../ports/file-checker.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import { countLines } from '../workspace/text.ts'
import { createComplexityGate } from './complexity.ts'
import { fileKind } from './file-kind.ts'
import type { Finding, Gate, GateSubject } from './gate.ts'
import { createLineLimitGate } from './line-limit.ts'
import { severities } from './severity.ts'
import { createSyntaxGate } from './syntax.ts'

export interface FileCheckerOptions {
  /** Owned by the checker from here on: closed with it. */
  readonly parser: SourceParser
  readonly linesMax?: number
}

/** Runs every gate over a file. Rejects only as SourceParser does: `cancelled`, and `unavailable`. */
export function createFileChecker({ parser, linesMax }: FileCheckerOptions): FileChecker {
  // In the order in which a model should mend what they find. A new gate is one more line.
  const gates: readonly Gate[] = [createSyntaxGate(), createLineLimitGate(linesMax), createComplexityGate()]

  return {
    async check(request, signal) {
      const subject = await toSubject(request, parser, signal)
      const ran: string[] = []
      const skipped: { rule: string; reason: string }[] = []
      const violations: Violation[] = []
      for (const gate of gates) {
        const verdict = await gate.judge(subject)
        if ('skipped' in verdict) {
          skipped.push({ rule: gate.rule, reason: verdict.skipped })
          continue
        }
        ran.push(gate.rule)
        violations.push(...verdict.findings.map((finding) => toViolation(gate, finding)))
      }
      const passed = violations.every(({ severity }) => severity !== 'error')
      return { ...toFacts(subject), checks: { passed, ran, skipped, violations } }
    },

    rules(path) {
      const kind = fileKind(path)
      return gates.map((gate) => gate.describe(kind)).filter((line) => line !== null)
    },

    close: () => parser.close(),
  }
}

async function toSubject(request: CheckRequest, parser: SourceParser, signal?: AbortSignal): Promise<GateSubject> {
  const { path, text, before } = request
  const kind = fileKind(path)
  const parse = (each: string | null) =>
    kind.language === null || each === null ? null : parser.parse(kind.language, each, signal)
  return {
    path,
    text,
    before,
    kind,
    lineCount: countLines(text),
    source: await parse(text),
    parseBefore: async () => parse(before),
  }
}

function toFacts({ source, lineCount }: GateSubject): Omit<FileCheck, 'checks'> {
  const parsed = source?.kind === 'parsed' ? source : null
  return { syntaxErrors: parsed?.faults ?? [], complexity: parsed?.complexity ?? null, lineCount }
}

function toViolation({ rule }: Gate, { message, line, column, isOld }: Finding): Violation {
  return { rule, severity: isOld === true ? 'warning' : severities[rule], message, line, column }
}
