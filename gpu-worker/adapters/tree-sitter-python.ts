import type { Node } from 'web-tree-sitter'
import type { SyntaxFault } from '../ports/source-parser.ts'
import { faultAt } from './tree-sitter-syntax.ts'

const clauses = new Set(['elif_clause', 'else_clause', 'except_clause', 'finally_clause'])
const python2 = new Map([
  ['print_statement', 'Python 3 has no print statement: write `print(...)`'],
  ['exec_statement', 'Python 3 has no exec statement: write `exec(...)`'],
])

/**
 * What the grammar accepts and Python refuses: it was made for editors, so it takes Python 2 statements, blocks without a
 * statement and any indentation. For trees without a syntax error; in order of position.
 */
export function pythonFaults(root: Node, text: string): SyntaxFault[] {
  const lines = text.split('\n')
  const startsLine = (node: Node): boolean =>
    /^\s*$/.test((lines[node.startPosition.row] ?? '').slice(0, node.startPosition.column))
  const faults: SyntaxFault[] = []
  const pending: Node[] = [root]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const children = node.namedChildren
    faults.push(...faultsOf(node, children, startsLine))
    pending.push(...children)
  }
  return faults.sort((a, b) => a.line - b.line || a.column - b.column)
}

function faultsOf(node: Node, children: readonly Node[], startsLine: (node: Node) => boolean): SyntaxFault[] {
  const old = python2.get(node.type)
  if (old !== undefined) return [faultAt(node, old)]
  if (node.type === 'module' || node.type === 'block') return blockFaults(node, children, startsLine)
  if (node.type === 'try_statement' && !children.some((child) => /^(except|finally)/.test(child.type))) {
    return [faultAt(node, '`try` needs an `except` or a `finally`')]
  }
  return children
    .filter((child) => clauses.has(child.type) && startsLine(child))
    .filter((child) => child.startPosition.column !== node.startPosition.column)
    .map((child) => faultAt(child, 'Indentation differs from the statement that this line belongs to'))
}

function blockFaults(block: Node, children: readonly Node[], startsLine: (node: Node) => boolean): SyntaxFault[] {
  const statements = children.filter((child) => child.type !== 'comment')
  if (block.type === 'block' && statements.length === 0) {
    return [faultAt(block.parent ?? block, 'Expected an indented block after this line')]
  }
  const starting = statements.filter(startsLine)
  const column = block.type === 'module' ? 0 : starting[0]?.startPosition.column
  const odd = starting.find((statement) => statement.startPosition.column !== column)
  return odd === undefined
    ? []
    : [faultAt(odd, 'Unexpected indentation: indent this line as the other lines of its block')]
}
