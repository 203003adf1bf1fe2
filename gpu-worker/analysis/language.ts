import { AppError } from '#shared/errors.ts'
import type { MeasuredLanguage } from '#shared/schemas/quality.ts'
import type { SourceLanguage, SourceParser } from '../ports/source-parser.ts'

/** A name whose ending says the language. */
export const fileNames: Readonly<Record<MeasuredLanguage, string>> = {
  python: 'content.py',
  javascript: 'content.js',
  typescript: 'content.ts',
  tsx: 'content.tsx',
  go: 'content.go',
  rust: 'content.rs',
  java: 'Content.java',
  c: 'content.c',
  cpp: 'content.cpp',
  json: 'content.json',
  yaml: 'content.yaml',
  markdown: 'content.md',
}

/** Ordinary text takes a few milliseconds in each. A text of another kind is not to hold up the parser for all nine. */
const BUDGET_MS = 5000

/** In this order: TypeScript reads all JavaScript, and YAML and Markdown read anything. */
const tried = [
  'json',
  'python',
  'typescript',
  'tsx',
  'go',
  'rust',
  'java',
  'c',
  'cpp',
] as const satisfies readonly (MeasuredLanguage & SourceLanguage)[]

/**
 * The language of a text without a name: the first whose grammar reads it without a fault. `invalid_input` where none
 * does, or where they take too long.
 */
export async function detectLanguage(
  parser: SourceParser,
  text: string,
  signal: AbortSignal,
): Promise<MeasuredLanguage> {
  const until = performance.now() + BUDGET_MS
  for (const language of tried) {
    const outcome = await parser.parse(language, text, signal)
    if (outcome.kind !== 'parsed') break
    if (outcome.faultCount === 0) return language
    if (performance.now() > until) break
  }
  throw new AppError('invalid_input', 'Cannot tell the language of content: no grammar reads it without a fault', {
    hint: `Give language, one of ${Object.keys(fileNames).join(', ')}`,
  })
}
