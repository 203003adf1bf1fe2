import type { FunctionComplexity } from '#shared/schemas/check.ts'
import type { Finding, Gate } from './gate.ts'

export interface ComplexityLimits {
  /** McCabe's own limit. */
  readonly cyclomaticMax: number
  /** SonarSource's default. */
  readonly cognitiveMax: number
}

const defaults: ComplexityLimits = { cyclomaticMax: 10, cognitiveMax: 15 }

/** Functions that are hard to test (cyclomatic) or to follow (cognitive). */
export function createComplexityGate(limits: ComplexityLimits = defaults): Gate {
  return {
    rule: 'complexity',
    describe: () => null,
    async judge({ kind, source }) {
      if (source === null) return { skipped: `no grammar for ${kind.name ?? 'this kind of file'}` }
      if (source.kind !== 'parsed' || source.faultCount > 0) return { skipped: 'the file does not parse' }
      if (source.complexity === null) return { skipped: `${kind.name ?? 'this kind of file'} has no functions` }
      const { cyclomatic, cognitive, functions } = source.complexity
      const findings = functions.filter((each) => isOver(each, limits)).map((each) => toFinding(each, limits))
      if (findings.length === 0 && isOver({ cyclomatic, cognitive }, limits)) {
        findings.push(toFinding({ name: '', line: 1, cyclomatic, cognitive }, limits))
      }
      return { findings }
    },
  }
}

type Figures = Pick<FunctionComplexity, 'cyclomatic' | 'cognitive'>

const isOver = ({ cyclomatic, cognitive }: Figures, { cyclomaticMax, cognitiveMax }: ComplexityLimits): boolean =>
  cyclomatic > cyclomaticMax || cognitive > cognitiveMax

function toFinding(each: Figures & { name: string; line: number }, limits: ComplexityLimits): Finding {
  const what = each.name === '' ? 'The code outside functions' : `\`${each.name}\``
  const figures = `cyclomatic ${each.cyclomatic} (limit ${limits.cyclomaticMax}), cognitive ${each.cognitive} (limit ${limits.cognitiveMax})`
  const advice = 'return early instead of nesting, and move parts into functions of their own'
  return { message: `${what} is too complex, ${figures}: ${advice}`, line: each.line, column: null }
}
