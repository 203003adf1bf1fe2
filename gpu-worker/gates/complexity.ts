import type { FunctionComplexity } from '#shared/schemas/check.ts'
import { type Finding, type Gate, whyNotParsed } from './gate.ts'
import type { ComplexityLimits } from './settings.ts'

/** Functions that are hard to test (cyclomatic) or to follow (cognitive). */
export function createComplexityGate(limits: ComplexityLimits): Gate {
  return {
    rule: 'complexity',
    describe: (kind) => (kind.isCode && kind.language !== null ? 'Short functions without deep nesting' : null),
    async judge(subject) {
      const { kind, source } = subject
      const obstacle = whyNotParsed(subject)
      if (obstacle !== null) return { skipped: obstacle }
      if (source?.kind !== 'parsed' || source.complexity === null)
        return { skipped: `${kind.name ?? 'this kind of file'} has no functions` }
      const { cyclomatic, cognitive, functions } = source.complexity
      const own = limits.files.find(({ matches }) => matches(subject.path)) ?? limits
      const findings = functions.filter((each) => isOver(each, own)).map((each) => toFinding(each, own))
      if (findings.length === 0 && isOver({ cyclomatic, cognitive }, own)) {
        findings.push(toFinding({ name: '', line: 1, cyclomatic, cognitive }, own))
      }
      return { findings }
    },
  }
}

type Figures = Pick<FunctionComplexity, 'cyclomatic' | 'cognitive'>
type Limits = Omit<ComplexityLimits, 'files'>

const isOver = ({ cyclomatic, cognitive }: Figures, { cyclomaticMax, cognitiveMax }: Limits): boolean =>
  cyclomatic > cyclomaticMax || cognitive > cognitiveMax

function toFinding(each: Figures & { name: string; line: number }, limits: Limits): Finding {
  const what = each.name === '' ? 'The code outside functions' : `\`${each.name}\``
  const figures = `cyclomatic ${each.cyclomatic} (limit ${limits.cyclomaticMax}), cognitive ${each.cognitive} (limit ${limits.cognitiveMax})`
  const advice = 'return early instead of nesting, and move parts into functions of their own'
  return { message: `${what} is too complex, ${figures}: ${advice}`, line: each.line, column: null }
}
