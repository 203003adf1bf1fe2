import type { FunctionComplexity } from '#shared/schemas/check.ts'
import { type Finding, type Gate, type GateSubject, whyNotParsed } from './gate.ts'

/** Where a test or a module is wrapped in a function without a name, its length says nothing. */
const ANONYMOUS = '(anonymous)'

/**
 * A function with a name fits on a page. Lines are those from its first to its last. One that was too long before may
 * change, and shrink.
 */
export function createFunctionLengthGate(linesMax: number): Gate {
  return {
    rule: 'function_length',
    describe: (kind) => (kind.isCode && kind.language !== null ? `At most ${linesMax} lines per function` : null),
    async judge(subject) {
      const obstacle = whyNotParsed(subject)
      if (obstacle !== null) return { skipped: obstacle }
      const functions = functionsOf(subject.source)
      if (functions === null) return { skipped: `${subject.kind.name ?? 'this kind of file'} has no functions` }
      const tooLong = functions.filter(({ name, lines }) => lines > linesMax && name !== ANONYMOUS)
      if (tooLong.length === 0) return { findings: [] }
      const before = functionsOf(await subject.parseBefore()) ?? []
      return { findings: tooLong.map((each) => toFinding(each, linesMax, before)) }
    },
  }
}

function functionsOf(source: GateSubject['source']): readonly FunctionComplexity[] | null {
  return source?.kind === 'parsed' ? (source.complexity?.functions ?? null) : null
}

function toFinding(each: FunctionComplexity, linesMax: number, before: readonly FunctionComplexity[]): Finding {
  const { name, line, lines } = each
  const message = `\`${name}\` has ${lines} lines, limit ${linesMax}: move parts of it into functions of their own`
  const isOld = before.some((old) => old.name === name && old.lines >= lines)
  return { message, line, column: null, isOld }
}
