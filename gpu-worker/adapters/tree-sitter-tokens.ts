import type { Node } from 'web-tree-sitter'
import type { LineCounts, SourceTokens } from '../ports/source-parser.ts'
import { countLines } from '../workspace/text.ts'

/** What programs share without one being copied from the other. */
const imports = new Set([
  'import_statement',
  'import_from_statement',
  'future_import_statement',
  'import_declaration',
  'package_declaration',
  'package_clause',
  'use_declaration',
  'preproc_include',
])
/** Leaves that are the text of a string: two programs that differ in their strings only are still copies. */
const stringText =
  /^(?:string_content|string_fragment|multiline_string_fragment|escape_sequence|character|character_literal|char_literal|rune_literal|jsx_text|regex_pattern|(?:raw_|interpreted_)?string_literal(?:_content)?|raw_string_content)$/
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

const CODE = 2
const COMMENT = 1

export interface Tokenized {
  readonly tokens: SourceTokens
  readonly lines: LineCounts
}

/** The leaves of a tree: for comparing texts, and for telling lines of code from comments. */
export function tokensOf(root: Node, text: string): Tokenized {
  const rows = new Uint8Array(countRowsOf(text))
  const hashes: number[] = []
  const lines: number[] = []
  const cursor = root.walk()
  let importDepth = 0
  let depth = 0
  try {
    for (;;) {
      const type = cursor.nodeType
      const isComment = type.endsWith('comment')
      if (importDepth === 0 && imports.has(type)) importDepth = depth
      if (!isComment && cursor.gotoFirstChild()) {
        depth++
        continue
      }
      const { startIndex, endIndex } = cursor
      const first = cursor.startPosition.row
      if (isComment) markRows(rows, first, lastRow(cursor), COMMENT)
      else if (endIndex > startIndex && !/^\s*$/.test(type)) {
        markRows(rows, first, lastRow(cursor), CODE)
        if (importDepth === 0) {
          hashes.push(hashOf(stringText.test(type) ? type : text.slice(startIndex, endIndex)))
          lines.push(first + 1)
        }
      }
      for (;;) {
        if (importDepth === depth) importDepth = 0
        if (cursor.gotoNextSibling()) break
        if (!cursor.gotoParent()) return { tokens: pack(hashes, lines), lines: countRows(rows) }
        depth--
      }
    }
  } finally {
    cursor.delete()
  }
}

const pack = (hashes: readonly number[], lines: readonly number[]): SourceTokens => ({
  hashes: Uint32Array.from(hashes),
  lines: Uint32Array.from(lines),
})

/** A last line without a newline is one too. */
const countRowsOf = (text: string): number => countLines(text) + (text === '' || text.endsWith('\n') ? 0 : 1)

/** What ends with its newline ends on the row before. */
function lastRow(cursor: { startPosition: Point; endPosition: Point }): number {
  const { startPosition, endPosition } = cursor
  return endPosition.column === 0 && endPosition.row > startPosition.row ? endPosition.row - 1 : endPosition.row
}

interface Point {
  readonly row: number
  readonly column: number
}

function markRows(rows: Uint8Array, first: number, last: number, kind: number): void {
  for (let row = first; row <= last && row < rows.length; row++) rows[row] = Math.max(rows[row] ?? 0, kind)
}

function countRows(rows: Uint8Array): LineCounts {
  const counts = [0, 0, 0]
  for (const kind of rows) counts[kind] = (counts[kind] ?? 0) + 1
  return { blank: counts[0] ?? 0, comment: counts[COMMENT] ?? 0, code: counts[CODE] ?? 0 }
}

/** FNV-1a over UTF-16 units. */
function hashOf(text: string): number {
  let hash = FNV_OFFSET
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME)
  return hash >>> 0
}
