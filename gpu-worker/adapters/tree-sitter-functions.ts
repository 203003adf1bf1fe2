import type { Node } from 'web-tree-sitter'

const NAME_CHARACTERS_MAX = 80
const labels = new Set(['label', 'statement_identifier', 'label_name'])

/** The name that a reader knows a function by: its own, or that of what it is assigned to. */
export function functionName(node: Node): string {
  const name = node.childForFieldName('name') ?? declaredName(node) ?? assignedName(node)
  return name === null ? '(anonymous)' : name.text.slice(0, NAME_CHARACTERS_MAX)
}

/** C and C++ wrap the name in declarators: pointer, reference, parameters. */
function declaredName(node: Node): Node | null {
  return functionDeclarator(node)?.childForFieldName('declarator') ?? null
}

function functionDeclarator(node: Node): Node | null {
  let declarator = node.childForFieldName('declarator')
  while (declarator !== null && declarator.type !== 'function_declarator') {
    declarator = declarator.childForFieldName('declarator') ?? declarator.namedChildren.find(isDeclarator) ?? null
  }
  return declarator
}

const isDeclarator = (node: Node): boolean => node.type.endsWith('_declarator')

function assignedName(node: Node): Node | null {
  const parent = node.parent
  if (parent === null) return null
  if (parent.type === 'variable_declarator') return parent.childForFieldName('name')
  if (parent.type === 'pair') return parent.childForFieldName('key')
  if (parent.type === 'assignment_expression') return parent.childForFieldName('left')
  if (!parent.type.endsWith('field_definition')) return null
  return parent.childForFieldName('name') ?? parent.childForFieldName('property')
}

export function parameterCount(node: Node): number {
  const parameters = node.childForFieldName('parameters') ?? functionDeclarator(node)?.childForFieldName('parameters')
  return parameters?.namedChildCount ?? 0
}

/** Whether a case is the one that always matches: `default`, or the pattern `_` without a guard. */
export function isDefaultCase(node: Node): boolean {
  if (node.firstChild?.type === 'default') return true
  if (node.childForFieldName('guard') !== null) return false
  const pattern = node.childForFieldName('pattern') ?? node.namedChildren[0]
  return (
    pattern !== undefined && pattern !== null && pattern.endIndex - pattern.startIndex === 1 && pattern.text === '_'
  )
}

/** Whether a `break`, `continue` or `goto` names where it goes. */
export function jumpsToLabel(node: Node): boolean {
  return node.namedChildren.some(
    (child) => labels.has(child.type) || (child.type === 'identifier' && node.type.endsWith('_statement')),
  )
}
