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

/** What stands between parameters without being one: comments, `*` and `/` of Python, what a method belongs to. */
const noParameter = /comment$|_separator$|^(?:self|receiver)_parameter$|^this$/

/** How many arguments a function takes; `self` and `cls` of a method, and what it belongs to elsewhere, are none. */
export function parameterCount(node: Node, isMethod: boolean): number {
  const single = node.childForFieldName('parameter')
  if (single !== null) return 1
  const list = node.childForFieldName('parameters') ?? functionDeclarator(node)?.childForFieldName('parameters')
  const parameters = (list?.namedChildren ?? []).filter(({ type }) => !noParameter.test(type))
  const [first] = parameters
  if (first === undefined || (parameters.length === 1 && isVoid(first))) return 0
  const isOwn = (isMethod && /^(?:self|cls)\b/.test(first.text)) || first.childForFieldName('pattern')?.type === 'this'
  return parameters.reduce((sum, each) => sum + namesOf(each), isOwn ? -1 : 0)
}

/** Go declares several of one type at once: `a, b int`. */
function namesOf({ type, namedChildren }: Node): number {
  if (type !== 'parameter_declaration') return 1
  return Math.max(1, namedChildren.filter((child) => child.type === 'identifier').length)
}

/** `f(void)` of C takes nothing. */
const isVoid = (parameter: Node): boolean => parameter.type === 'parameter_declaration' && parameter.text === 'void'

/** Whether a function of Python holds another one and its return, and beside them at most documentation. */
export function isWrapper(node: Node): boolean {
  const statements = (node.childForFieldName('body')?.namedChildren ?? []).filter(({ type }) => type !== 'comment')
  const isDocumented = statements[0]?.type === 'expression_statement' && statements[0].firstChild?.type === 'string'
  const [inner, last, ...more] = isDocumented ? statements.slice(1) : statements
  const isFunction = inner?.type === 'function_definition' || inner?.type === 'decorated_definition'
  return isFunction && last?.type === 'return_statement' && more.length === 0
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
