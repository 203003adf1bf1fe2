import type { ParseOutcome } from '../ports/source-parser.ts'
import type { FileKind } from './file-kind.ts'
import type { Finding, Gate, GateSubject, Verdict } from './gate.ts'

const names: Record<string, string> = {
  python: 'Python 3',
  javascript: 'JavaScript',
  typescript: 'TypeScript',
  tsx: 'TypeScript with JSX',
  go: 'Go',
  rust: 'Rust',
  java: 'Java',
  c: 'C',
  cpp: 'C++',
  json: 'JSON',
  yaml: 'YAML',
}

/** The text parses. In bounded time: a text that cannot be parsed in time has failed. */
export function createSyntaxGate(): Gate {
  return { rule: 'syntax', describe, judge }
}

function describe(kind: FileKind): string | null {
  return kind.language === null ? null : `Valid ${names[kind.name ?? ''] ?? kind.name}`
}

async function judge(subject: GateSubject): Promise<Verdict> {
  if (subject.source === null) return { skipped: whyNot(subject.kind) }
  const findings = toFindings(subject.source)
  const isOld = findings.length > 0 && (await isNoWorse(subject, subject.source))
  return { findings: isOld ? findings.map((finding) => ({ ...finding, isOld })) : findings }
}

const whyNot = (kind: FileKind): string =>
  kind.name === null ? 'no grammar for this kind of file' : `no grammar for ${kind.name}`

function toFindings(outcome: ParseOutcome): Finding[] {
  if (outcome.kind === 'timed_out') {
    const limit = `${outcome.limitMs / 1000} s`
    return [whole(`Could not be parsed within ${limit}: write ordinary code, with less nesting and fewer brackets`)]
  }
  if (outcome.kind === 'broken') return [whole('Could not be parsed: write ordinary code, with less nesting')]
  const more = outcome.faultCount - outcome.faults.length
  return outcome.faults.map(({ line, column, message }, index) => {
    const isLast = index === outcome.faults.length - 1
    return { line, column, message: isLast && more > 0 ? `${message} (and ${more} more syntax errors)` : message }
  })
}

const whole = (message: string): Finding => ({ message, line: null, column: null })

/**
 * C and C++ before the preprocessor need not follow the grammar: a file full of macros has faults that nobody can mend.
 * There, faults count against a change only when it brings more of them.
 */
async function isNoWorse({ kind, parseBefore }: GateSubject, now: ParseOutcome): Promise<boolean> {
  if ((kind.language !== 'c' && kind.language !== 'cpp') || now.kind !== 'parsed') return false
  const before = await parseBefore()
  return before?.kind === 'parsed' && before.breakCount >= now.breakCount
}
