import type { Node } from 'web-tree-sitter'
import type { SyntaxFault } from '../ports/source-parser.ts'
import { faultAt } from './tree-sitter-syntax.ts'

const clauses = new Set(['elif_clause', 'else_clause', 'except_clause', 'finally_clause'])
/** What statements stand in. Expressions hold none, and are most of a tree. */
const holders = new Set([
  'module',
  'block',
  'if_statement',
  'for_statement',
  'while_statement',
  'try_statement',
  'with_statement',
  'match_statement',
  'case_clause',
  'function_definition',
  'class_definition',
  'decorated_definition',
  'except_group_clause',
  ...clauses,
])
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
  const pending: Typed[] = [{ node: root, type: 'module' }]
  for (let holder = pending.pop(); holder !== undefined; holder = pending.pop()) {
    const children = holder.node.namedChildren.map((node) => ({ node, type: node.type }))
    faults.push(...faultsOf(holder, children, startsLine))
    for (const child of children) {
      const old = python2.get(child.type)
      if (old !== undefined) faults.push(faultAt(child.node, old))
      else if (holders.has(child.type)) pending.push(child)
    }
  }
  return faults.sort((a, b) => a.line - b.line || a.column - b.column)
}

/** A node and its type, which costs something to ask for. */
interface Typed {
  readonly node: Node
  readonly type: string
}

function faultsOf(
  { node, type }: Typed,
  children: readonly Typed[],
  startsLine: (node: Node) => boolean,
): SyntaxFault[] {
  if (type === 'module' || type === 'block') return blockFaults(node, type, children, startsLine)
  if (type === 'try_statement' && !children.some((child) => /^(except|finally)/.test(child.type))) {
    return [faultAt(node, '`try` needs an `except` or a `finally`')]
  }
  return children
    .filter((child) => clauses.has(child.type) && startsLine(child.node))
    .filter((child) => child.node.startPosition.column !== node.startPosition.column)
    .map((child) => faultAt(child.node, 'Indentation differs from the statement that this line belongs to'))
}

function blockFaults(
  block: Node,
  type: 'module' | 'block',
  children: readonly Typed[],
  startsLine: (node: Node) => boolean,
): SyntaxFault[] {
  const statements = children.flatMap((child) => (child.type === 'comment' ? [] : [child.node]))
  if (type === 'block' && statements.length === 0) {
    return [faultAt(block.parent ?? block, 'Expected an indented block after this line')]
  }
  const starting = statements.filter(startsLine)
  const column = type === 'module' ? 0 : starting[0]?.startPosition.column
  const odd = starting.find((statement) => statement.startPosition.column !== column)
  return odd === undefined
    ? []
    : [faultAt(odd, 'Unexpected indentation: indent this line as the other lines of its block')]
}
