import { fileKind } from '../gates/file-kind.ts'
import { commonLineRules, fencedLineRules } from '../inference/fenced-lines.ts'
import { literal, oneOf } from '../inference/gbnf.ts'
import type { AnswerGrammar } from '../ports/answer-grammar.ts'
import { fenceLength } from './fence.ts'

/** Long enough for a Markdown file about Markdown. */
const FENCE_LENGTH_MAX = 8

/**
 * The form of an answer that is a whole file: thinking where the model thinks, a sentence or three, one fence that is named
 * for the file, opened and closed, and then the end. What cannot stand in a fence can stand in a longer one, so no file is
 * impossible. A fence is at least as long as the one in which the prompt shows the file.
 *
 * In front of the fence only lines that read as sentences: a file without a fence must not pass for words.
 */
export function envelopeGrammar(path: string, before: string | null): AnswerGrammar {
  const { name } = fileKind(path)
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1] ?? name
  const names = [...new Set([name, extension])].filter((each) => each !== null)
  const opening = name === null ? '[a-zA-Z0-9+#._-]{0,20}' : oneOf(names.map(literal))
  const shortest = fenceLength(before ?? '')
  const lengths = Array.from({ length: Math.max(1, FENCE_LENGTH_MAX - shortest + 1) }, (_, index) => shortest + index)
  const blocks = lengths.map((length) => {
    const fence = literal('`'.repeat(length))
    const block = `${fence} opening (line${length} | nested${length})* ${fence}`
    return name === 'markdown' && length === 3 ? `${fence} opening (line3 | inner)* ${fence} tail` : block
  })
  const text = [
    `root ::= thinking? (sentence{1,3} "\\n"?)? ${oneOf(blocks)}`,
    `opening ::= ${opening} "\\n"`,
    'sentence ::= [A-Z] [^\\r\\n]{1,400} [.:!] "\\n"',
    ...thinkingRules,
    ...commonLineRules,
    ...lengths.flatMap(fencedLineRules),
    ...(name === 'markdown' && shortest === 3 ? markdownRules : []),
    '',
  ].join('\n')
  return { kind: 'gbnf', text }
}

const THINKING_ENDS = '</think>'

/** Anything up to the first end of thinking. Each rule knows how much of the end has been read. */
const thinkingRules: readonly string[] = [
  'thinking ::= "<think>" thought0',
  ...[...THINKING_ENDS].map((next, read) => {
    const goesOn =
      read === THINKING_ENDS.length - 1 ? `${literal(next)} "\\n"{0,3}` : `${literal(next)} thought${read + 1}`
    return read === 0
      ? `thought0 ::= ${goesOn} | [^<] thought0`
      : `thought${read} ::= ${goesOn} | "<" thought1 | [^${next}<] thought0`
  }),
]

/**
 * In a Markdown file whose own fences are no shorter than the one around it, a bare fence may be the end, or the beginning of
 * an inner block: only whoever writes on decides. So blocks and lines may follow, and the answer may end wherever all
 * fences are closed, as `parseReply` counts them.
 */
const markdownRules: readonly string[] = [
  // Named blocks within: what closes one is no further to the right than what opened it.
  `inner ::= ${[0, 1, 2, 3].map((indent) => `${' '.repeat(indent) === '' ? '' : `${literal(' '.repeat(indent))} `}"\`\`\`" named plain* [ ]{0,${indent}} "\`\`\`\\n"`).join(' | ')}`,
  'tail ::= ("\\n" (outside | block))*',
  'outside ::= [ \\t]* ([^ \\t`~\\r\\n] [^\\r\\n]* | [`]{1,2} ([^`\\r\\n] [^\\r\\n]*)?)?',
  'block ::= "```" [^`\\r\\n]* "\\n" plain* "```"',
  // No fence at all.
  'plain ::= [ \\t]* ("\\n" | [^ \\t`\\r\\n] rest | [`]{1,2} ("\\n" | [^`\\r\\n] rest) | "```" [`]* [^`\\r\\n]+ [`] rest)',
]
