import type { Definition } from '../ports/source-parser.ts'
import type { FileKind } from './file-kind.ts'
import { type Finding, type Gate, type GateSubject, whyNotParsed } from './gate.ts'
import { isTestFile } from './test-file.ts'

const comments: Partial<Record<string, string>> = {
  python: 'a docstring',
  javascript: 'a JSDoc comment (`/** ... */`)',
  typescript: 'a JSDoc comment (`/** ... */`)',
  go: 'a comment that begins with its name',
  rust: 'a `///` comment',
  java: 'a Javadoc comment (`/** ... */`)',
}
const SHOWN_MAX = 10

/** The language as the settings name it: what is TypeScript in any form has the rules of TypeScript. */
const documentedName = (kind: FileKind): string => (kind.name === 'tsx' ? 'typescript' : (kind.name ?? ''))

/**
 * What others may use says what it does: public functions, methods and classes in Python, exported functions and classes
 * in JavaScript and TypeScript, capitalised names in Go, `pub` in Rust, `public` in Java. Tests explain themselves.
 */
export function createMissingDocsGate(languages: ReadonlySet<string>): Gate {
  const commentFor = (kind: FileKind): string | null =>
    languages.has(documentedName(kind)) ? docCommentFor(kind) : null
  return {
    rule: 'missing_docs',
    describe(kind, path) {
      const comment = commentFor(kind)
      return comment === null || isTestFile(path) ? null : `Every public function and class has ${comment}`
    },
    async judge(subject) {
      const comment = commentFor(subject.kind)
      if (comment === null || isTestFile(subject.path)) return null
      const obstacle = whyNotParsed(subject)
      if (obstacle !== null) return { skipped: obstacle }
      const missing = undocumented(subject.source)
      if (missing.length === 0) return { findings: [] }
      const before = new Set(undocumented(await subject.parseBefore()).map(({ name }) => name))
      return { findings: toFindings(missing, before, comment) }
    },
  }
}

/** What documents a public name in files of a kind; null where this does not know. */
export const docCommentFor = (kind: FileKind): string | null => comments[documentedName(kind)] ?? null

/** What is wrong and what to do, for one name. */
export const missingDocsMessage = (name: string, comment: string): string =>
  `\`${name}\` has no documentation: add ${comment} that says what it does`

/** Public names without documentation. One definition of several (an overload, a setter) speaks for all of them. */
export function undocumentedIn(definitions: readonly Definition[]): Definition[] {
  const documented = new Set(definitions.filter(({ hasDocs }) => hasDocs).map(({ name }) => name))
  return definitions.filter(({ name, isPublic }) => isPublic && !documented.has(name))
}

const undocumented = (source: GateSubject['source']): Definition[] =>
  source?.kind === 'parsed' ? undocumentedIn(source.definitions) : []

/** What is new comes first: however much is old, it hides nothing. */
function toFindings(missing: readonly Definition[], before: ReadonlySet<string>, comment: string): Finding[] {
  return missing
    .map(({ name, line }) => ({
      message: missingDocsMessage(name, comment),
      line,
      column: null,
      isOld: before.has(name),
    }))
    .sort((a, b) => Number(a.isOld) - Number(b.isOld))
    .slice(0, SHOWN_MAX)
}
