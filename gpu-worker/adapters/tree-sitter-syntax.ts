import type { Node } from 'web-tree-sitter'
import type { SourceLanguage, SyntaxFault } from '../ports/source-parser.ts'

/** A model mends one or two at a time; what follows the first fault is often its echo. */
export const FAULTS_SHOWN_MAX = 5
const EXCERPT_CHARACTERS_MAX = 60
/** Beyond this a tree is one long error; the rest of the walk would tell nothing new. */
const FAULTS_FOUND_MAX = 1000

const closerOf = new Map([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
  ['${', '}'],
])
const closers = new Set(closerOf.values())
const quotes = new Set(['string_start', '"', "'", '`', '"""'])

export function faultAt(node: Node, message: string): SyntaxFault {
  return { line: node.startPosition.row + 1, column: node.startPosition.column + 1, message }
}

/**
 * Syntax errors of a tree, in order of position, at most one per line. The parser's own error nodes say where it gave
 * up, which is often far from the cause, so an unbalanced bracket or an open string is named instead where there is one.
 */
export function syntaxFaults(
  root: Node,
  language: SourceLanguage,
  text: string,
): { faults: SyntaxFault[]; breakCount: number } {
  if (!root.hasError) return { faults: [], breakCount: 0 }
  const lines = text.split('\n')
  const broken = brokenNodes(root)
  const faults = [...fences(broken, lines)]
  if (faults.length === 0) faults.push(...openStrings(broken))
  if (faults.length === 0) faults.push(...bracketFaults(root))
  if (faults.length === 0 && language === 'python') faults.push(...missingColons(broken, lines))
  if (faults.length === 0) faults.push(...broken.map((node) => describe(node, lines)))
  return { faults: onePerLine(faults), breakCount: broken.length }
}

/** ERROR and MISSING nodes, outermost only. */
function brokenNodes(root: Node): Node[] {
  const found: Node[] = []
  const pending: Node[] = [root]
  for (let node = pending.pop(); node !== undefined && found.length < FAULTS_FOUND_MAX; node = pending.pop()) {
    if (node.isError || node.isMissing) found.push(node)
    else pending.push(...node.children.filter((child) => child.hasError || child.isMissing).reverse())
  }
  return found
}

/** Markdown fences within an error: what a model leaves behind when it writes more than the file. */
function* fences(broken: readonly Node[], lines: readonly string[]): Generator<SyntaxFault> {
  for (const node of broken) {
    for (let row = node.startPosition.row; row <= node.endPosition.row; row++) {
      const column = /^\s*(?=```)/.exec(lines[row] ?? '')?.[0].length
      if (column === undefined) continue
      yield { line: row + 1, column: column + 1, message: 'A Markdown fence is not code: remove it from the file' }
    }
  }
}

function* openStrings(broken: readonly Node[]): Generator<SyntaxFault> {
  for (const node of broken) {
    if (!node.isError) continue
    const children = node.children
    const marks = children.filter((child) => quotes.has(child.type))
    const [first] = marks
    if (first === undefined || children.some((child) => child.type === 'string_end')) continue
    if (marks.length % 2 === 0) continue
    yield faultAt(
      first,
      `The string that starts here is not closed: add ${quote(first.text.replace(/^[A-Za-z]+/, ''))}`,
    )
  }
}

/** The first bracket without a partner. Strings and comments hold no bracket tokens in a tree. */
function bracketFaults(root: Node): SyntaxFault[] {
  const open: { node: Node; closer: string }[] = []
  for (const token of tokens(root)) {
    const closer = closerOf.get(token.type)
    if (closer !== undefined) open.push({ node: token, closer })
    else if (closers.has(token.type)) {
      const last = open.pop()
      if (last === undefined) return [faultAt(token, `Unmatched ${quote(token.type)}: nothing is open here`)]
      if (last.closer !== token.type) return [mismatch(last, token)]
    }
  }
  const last = open.at(-1)
  if (last === undefined) return []
  return [faultAt(last.node, `${quote(last.node.type)} is never closed: add the missing ${quote(last.closer)}`)]
}

/** The leaves that stand in the text, in order. */
function* tokens(root: Node): Generator<Node> {
  const cursor = root.walk()
  try {
    for (;;) {
      if (cursor.gotoFirstChild()) continue
      if (cursor.startIndex < cursor.endIndex) yield cursor.currentNode
      while (!cursor.gotoNextSibling()) if (!cursor.gotoParent()) return
    }
  } finally {
    cursor.delete()
  }
}

function mismatch(opened: { node: Node; closer: string }, closing: Node): SyntaxFault {
  const line = opened.node.startPosition.row + 1
  return faultAt(
    closing,
    `${quote(closing.type)} does not close the ${quote(opened.node.type)} of line ${line}: add the missing ${quote(opened.closer)}`,
  )
}

/** Lines within an error, or right before it, that begin a Python block and hold no colon outside brackets and strings. */
function missingColons(broken: readonly Node[], lines: readonly string[]): SyntaxFault[] {
  const faults: SyntaxFault[] = []
  for (const node of broken) {
    let row = node.startPosition.row - 1
    while (row > 0 && lines[row]?.trim() === '') row--
    for (row = Math.max(row, 0); row <= node.endPosition.row && faults.length < FAULTS_FOUND_MAX; row++) {
      const line = (lines[row] ?? '').trimEnd()
      if (!/^\s*(async\s+)?(def|class|if|elif|else|for|while|with|try|except|finally)\b/.test(line)) continue
      if (line.endsWith('\\') || withoutGroups(line).includes(':')) continue
      faults.push({ line: row + 1, column: line.length + 1, message: 'Missing `:` at the end of this line' })
    }
  }
  return faults
}

function withoutGroups(line: string): string {
  let code = line.replace(/"[^"]*"|'[^']*'/g, '').replace(/#.*$/, '')
  for (let last = ''; last !== code; ) {
    last = code
    code = code.replace(/\([^()[\]{}]*\)|\[[^()[\]{}]*\]|\{[^()[\]{}]*\}/g, '')
  }
  return code
}

function describe(node: Node, lines: readonly string[]): SyntaxFault {
  const line = excerpt(lines[node.startPosition.row] ?? '')
  if (node.isMissing)
    return faultAt(node, `Missing ${node.isNamed ? node.type.replaceAll('_', ' ') : quote(node.type)}`)
  const text = excerpt(node.text.slice(0, 4 * EXCERPT_CHARACTERS_MAX).trimStart())
  const oneLine = node.startPosition.row === node.endPosition.row
  return text !== '' && oneLine && text !== line
    ? faultAt(node, `Unexpected ${quote(text)} in ${quote(line)}`)
    : faultAt(node, `Not valid syntax: ${quote(text === '' ? line : text)}`)
}

function excerpt(text: string): string {
  const line = (text.split('\n', 1)[0] ?? '').trim()
  return line.length > EXCERPT_CHARACTERS_MAX ? `${line.slice(0, EXCERPT_CHARACTERS_MAX)}...` : line
}

const quote = (text: string): string => `\`${text}\``

function onePerLine(faults: readonly SyntaxFault[]): SyntaxFault[] {
  const sorted = faults.toSorted((a, b) => a.line - b.line || a.column - b.column)
  return sorted.filter((fault, index) => fault.line !== sorted[index - 1]?.line)
}
