/**
 * Rules for the lines of a text in a fence of so many backticks: all lines but those that would close the fence, or open
 * another one in it. They are what `agent/reply.ts` takes as plain text. Names end in the length, so that fences of
 * several lengths can stand in one grammar, which must have `commonLineRules` too.
 *
 * - `lineN`, a whole line with its end
 * - `nestedN`, a named fence of the same length within the text, with its lines
 */
export function fencedLineRules(length: number): string[] {
  const fence = '`'.repeat(length)
  return [
    `line${length} ::= "\\n" | [^ \`\\r\\n] rest | ticks${length} | [ ] (indented${length}a)`,
    ...['a', 'b'].map((depth) => {
      const deeper = depth === 'a' ? 'b' : 'c'
      return `indented${length}${depth} ::= indented${length} | [ ] indented${length}${deeper}`
    }),
    // Four columns to the right a fence is text.
    `indented${length}c ::= indented${length} | [ ] rest`,
    `indented${length} ::= "\\n" | [^ \`\\r\\n] rest | ticks${length} | "${fence}" [\`]* [ \\t]* "\\n"`,
    // Too short for a fence, or inline code.
    `ticks${length} ::= [\`]{1,${length - 1}} ("\\n" | [^\`\\r\\n] rest) | "${fence}" [\`]* [^\`\\r\\n]+ [\`] rest`,
    `nested${length} ::= "${fence}" named line${length}* "${fence}\\n"`,
  ]
}

/** `rest` of a line with its end; `named`, what stands behind a fence that has a name. */
export const commonLineRules: readonly string[] = [
  'rest ::= [^\\r\\n]* "\\n"',
  'named ::= [a-zA-Z0-9{.] [^`\\r\\n]* "\\n"',
]
