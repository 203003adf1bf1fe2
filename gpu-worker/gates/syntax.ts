import type { ParseOutcome, SourceLanguage } from '../ports/source-parser.ts'
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
  markdown: 'Markdown',
}

/** The text parses. In bounded time: a text that cannot be parsed in time has failed. */
export function createSyntaxGate(): Gate {
  return { rule: 'syntax', describe, judge }
}

function describe(kind: FileKind): string | null {
  // Every text is valid Markdown.
  if (kind.language === 'markdown') return 'Every code fence closed'
  return kind.language === null ? null : `Valid ${names[kind.name ?? ''] ?? kind.name}`
}

async function judge(subject: GateSubject): Promise<Verdict> {
  if (subject.source === null) return { skipped: whyNot(subject.kind) }
  const findings = toFindings(subject.source)
  const isOld = findings.length > 0 && (await isNoWorse(subject, subject.source))
  return { findings: isOld ? findings.map((finding) => ({ ...finding, isOld })) : findings }
}

function whyNot({ name, language }: FileKind): string {
  if (language !== null) return `too large for the ${names[name ?? ''] ?? name} grammar`
  return name === null ? 'no grammar for this kind of file' : `no grammar for ${name}`
}

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

const lenient: ReadonlySet<SourceLanguage> = new Set(['c', 'cpp', 'markdown'])

/**
 * C and C++ before the preprocessor need not follow the grammar: a file full of macros has faults that nobody can mend.
 * Markdown with an open fence is shown by every reader. There, faults count against a change only when it brings more of
 * them.
 */
async function isNoWorse({ kind, parseBefore }: GateSubject, now: ParseOutcome): Promise<boolean> {
  if (kind.language === null || !lenient.has(kind.language) || now.kind !== 'parsed') return false
  const before = await parseBefore()
  return before?.kind === 'parsed' && before.breakCount >= now.breakCount
}
