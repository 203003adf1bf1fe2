import type { Node } from 'web-tree-sitter'
import type { Complexity, FunctionComplexity } from '#shared/schemas/check.ts'
import type { SourceLanguage } from '../ports/source-parser.ts'
import { type ComplexityRules, complexityRules, type Role } from './tree-sitter-complexity-rules.ts'
import { functionName, isDefaultCase, isWrapper, jumpsToLabel, parameterCount } from './tree-sitter-functions.ts'

/** A function that is being measured, or the top level. */
interface Frame {
  readonly name: string
  readonly node: Node
  /** The function around it; null for the top level and what stands there, whose figures do not add up. */
  readonly outer: Frame | null
  /** Nesting at its body, from which its own cognitive figure counts. */
  readonly base: number
  readonly isMethod: boolean
  cyclomatic: number
  /** Cognitive, without and with the part of functions inside it. */
  own: number
  nested: number
  /** Control structures around each other at the deepest place; those of functions inside it are their own. */
  depth: number
  callsItself: boolean
}

interface Visit {
  readonly node: Node
  readonly nesting: number
  /** Control structures of the frame around this node. */
  readonly depth: number
  readonly frame: Frame
  readonly isElseIf: boolean
  readonly inClass: boolean
}

const classes = new Set([
  'class_definition',
  'class_declaration',
  'class',
  'impl_item',
  'trait_item',
  'class_specifier',
  'struct_specifier',
  'interface_declaration',
  'record_declaration',
])
/** Nodes without anything inside that counts. They are most of a tree, and each question about a node has its price. */
const leaves = new Set([
  'identifier',
  'property_identifier',
  'field_identifier',
  'type_identifier',
  'shorthand_property_identifier',
  'statement_identifier',
  'package_identifier',
  'predefined_type',
  'primitive_type',
  'type_annotation',
  'string_start',
  'string_content',
  'string_end',
  'string_fragment',
  'escape_sequence',
  'integer',
  'float',
  'number',
  'decimal_integer_literal',
  'int_literal',
  'interpreted_string_literal_content',
  'comment',
  'line_comment',
  'block_comment',
  'regex',
])
const linear: ReadonlySet<Role> = new Set(['elif', 'else', 'jump'])
const nests: ReadonlySet<Role> = new Set(['if', 'elif', 'else', 'ternary', 'loop', 'catch', 'switch', 'lambda'])
const branches: ReadonlySet<Role> = new Set(['if', 'elif', 'ternary', 'loop', 'catch'])
/** What indents: an `else if` stands beside its `if`, and a ternary is part of a line. */
const structures: ReadonlySet<Role> = new Set(['if', 'loop', 'catch', 'switch'])

/**
 * McCabe's cyclomatic complexity, counted as radon does, and SonarSource's cognitive complexity ("A new way of measuring
 * understandability", 2023), for each function and for the code outside functions. Null where the language has no
 * functions.
 *
 * Cyclomatic: nested functions stand for themselves, lambdas belong to the function around them. Cognitive: nested
 * functions add to the one around them, one level deeper, and are listed with their own figure as well; a function of
 * Python that only holds another and returns it, as a decorator does, deepens nothing; recursion counts where a function
 * calls itself directly.
 */
export function complexityOf(root: Node, language: SourceLanguage): Complexity | null {
  const rules = complexityRules[language]
  if (rules === undefined) return null
  const top = createFrame('', root, null, 0, false)
  const frames = [...measure(root, top, rules)].sort((a, b) => a.node.startIndex - b.node.startIndex)
  const functions = frames.map((frame) => toFigures(frame, rules))
  const all = [toFigures(top, rules), ...functions]
  return {
    cyclomatic: all.reduce((most, { cyclomatic }) => Math.max(most, cyclomatic), 0),
    cognitive: all.reduce((most, { cognitive }) => Math.max(most, cognitive), 0),
    functions,
  }
}

function createFrame(name: string, node: Node, outer: Frame | null, base: number, isMethod: boolean): Frame {
  return { name, node, outer, base, isMethod, cyclomatic: 1, own: 0, nested: 0, depth: 0, callsItself: false }
}

function toFigures(frame: Frame, rules: ComplexityRules): FunctionComplexity {
  const { node, own, nested } = frame
  const total = rules.declarativeOuter && own === 0 ? 0 : own + nested
  return {
    name: frame.name,
    line: node.startPosition.row + 1,
    cyclomatic: frame.cyclomatic,
    cognitive: total + (frame.callsItself ? 1 : 0),
    lines: node.endPosition.row - node.startPosition.row + 1,
    nesting: frame.depth,
    parameters: frame.outer === null && frame.name === '' ? 0 : parameterCount(node, frame.isMethod),
  }
}

/** Walks the tree with a stack of its own: source may be nested deeper than calls can be. */
function* measure(root: Node, top: Frame, rules: ComplexityRules): Generator<Frame> {
  const flattened = new Set<number>()
  const pending: Visit[] = [{ node: root, nesting: 0, depth: 0, frame: top, isElseIf: false, inClass: false }]
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { type } = visit.node
    if (leaves.has(type)) continue
    const role = rules.roles.get(type)
    if (role === 'function') {
      const inner = openFunction(visit, top, rules)
      yield inner
      for (const node of visit.node.namedChildren)
        pending.push({ node, nesting: inner.base, depth: 0, frame: inner, isElseIf: false, inClass: false })
      continue
    }
    if (role === 'logical') countLogical(visit, rules, flattened)
    else if (role === 'call') markRecursion(visit, rules)
    else if (role !== undefined) countRole(visit, role, rules)
    const depth = isStructure(visit, role) ? visit.depth + 1 : visit.depth
    visit.frame.depth = Math.max(visit.frame.depth, depth)
    const parent = { ...visit, depth, inClass: visit.inClass || classes.has(type) }
    for (const child of visit.node.namedChildren) pending.push(toVisit(child, parent, role, rules))
  }
}

const isStructure = ({ isElseIf }: Visit, role: Role | undefined): boolean =>
  role !== undefined && structures.has(role) && !isElseIf

function openFunction({ node, nesting, frame, inClass }: Visit, top: Frame, rules: ComplexityRules): Frame {
  const isInner = frame !== top
  const deeper = rules.wrappers && isWrapper(frame.node) ? 0 : 1
  const isMethod = inClass || node.type.startsWith('method_')
  return createFrame(functionName(node), node, isInner ? frame : null, isInner ? nesting + deeper : nesting, isMethod)
}

function toVisit(node: Node, parent: Visit, role: Role | undefined, rules: ComplexityRules): Visit {
  const { nesting, depth, frame, inClass } = parent
  const same = { node, nesting, depth, frame, inClass, isElseIf: false }
  if (role === undefined || !nests.has(role)) return same
  const childRole = rules.roles.get(node.type)
  const isElseIf = childRole === 'if' && isAlternative(node, parent.node, role)
  const isBranch = childRole === 'elif' || childRole === 'else'
  if (isElseIf) return { ...same, isElseIf }
  if (isBranch || (role !== 'lambda' && isField(parent.node, 'condition', node))) return same
  return { ...same, nesting: parent.nesting + 1 }
}

/** Whether an `if` is the `else if` of what it stands in. */
function isAlternative(node: Node, parent: Node, parentRole: Role): boolean {
  return parentRole === 'else' || (parentRole === 'if' && isField(parent, 'alternative', node))
}

const isField = (parent: Node, field: string, child: Node): boolean => parent.childForFieldName(field)?.id === child.id

function countRole(visit: Visit, role: Role, rules: ComplexityRules): void {
  const { node, frame, isElseIf } = visit
  if (branches.has(role)) frame.cyclomatic++
  if (role === 'branch' && (node.type !== 'let_declaration' || node.childForFieldName('alternative') !== null))
    frame.cyclomatic++
  if (role === 'case' && !isDefaultCase(node)) frame.cyclomatic++
  if (role === 'else' && countElse(visit, rules)) return
  if (role === 'jump' && !jumpsToLabel(node)) return
  if (linear.has(role) || isElseIf) addCognitive(frame, () => 1)
  else if (role === 'if' || role === 'ternary' || role === 'loop' || role === 'catch' || role === 'switch')
    addCognitive(frame, (base) => 1 + visit.nesting - base)
  if (role === 'if' && hasBareElse(node, rules)) addCognitive(frame, () => 1)
}

/** Python's `else` of loops and `try` branches too, as radon counts it. True where nothing is left to count. */
function countElse({ node, frame }: Visit, rules: ComplexityRules): boolean {
  const owner = rules.roles.get(node.parent?.type ?? '')
  if (owner !== 'if') frame.cyclomatic++
  const isElseIf = node.namedChildren.some((child) => rules.roles.get(child.type) === 'if')
  return isElseIf || (owner !== 'if' && owner !== 'loop')
}

/** An `else` that has no node of its own (Go, Java): the statement is the alternative. */
function hasBareElse(node: Node, rules: ComplexityRules): boolean {
  const alternative = node.childForFieldName('alternative')
  if (alternative === null) return false
  const role = rules.roles.get(alternative.type)
  return role !== 'if' && role !== 'else' && role !== 'elif'
}

/** Adds to a function, and to each around it: `amount` is told at which nesting that one begins. */
function addCognitive(frame: Frame, amount: (base: number) => number): void {
  frame.own += amount(frame.base)
  for (let outer = frame.outer; outer !== null; outer = outer.outer) outer.nested += amount(outer.base)
}

/** Counts a whole logical expression at its outermost node: a run of equal operators is one for the reader. */
function countLogical({ node, frame }: Visit, rules: ComplexityRules, flattened: Set<number>): void {
  if (flattened.has(node.id)) return
  // Most binary expressions add or compare; asking for one child is cheaper than for all.
  const own = node.childForFieldName('operator')
  if (own !== null && !rules.operators.has(own.type)) return
  const operators = operatorsInOrder(node, rules, flattened)
  frame.cyclomatic += operators.length
  let last = ''
  for (const operator of operators) {
    if (operator !== last && operator !== '??') addCognitive(frame, () => 1)
    last = operator
  }
}

function operatorsInOrder(root: Node, rules: ComplexityRules, flattened: Set<number>): string[] {
  const operators: string[] = []
  const pending: Node[] = [root]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (rules.operators.has(node.type)) operators.push(node.type)
    const isLogical =
      rules.roles.get(node.type) === 'logical' && node.children.some((child) => rules.operators.has(child.type))
    if (isLogical) flattened.add(node.id)
    if (isLogical || (node !== root && node.type === 'parenthesized_expression'))
      pending.push(...node.children.reverse())
  }
  return operators
}

function markRecursion({ node, frame }: Visit, rules: ComplexityRules): void {
  const callee = node.childForFieldName('function')
  const called = callee === null ? methodText(node) : null
  for (let caller: Frame | null = frame; caller !== null; caller = caller.outer) {
    if (caller.name === '') continue
    const bare = !caller.isMethod || rules.bareMethodCalls
    const text = called ?? (callee === null ? '' : shortText(callee, caller.name.length + 8))
    const matches =
      text.endsWith(caller.name) &&
      ((bare && text === caller.name) ||
        (caller.isMethod && isOwn(text, caller.name)) ||
        text === `this->${caller.name}`)
    if (matches && (!rules.bareMethodCalls || argumentCount(node) === parameterCount(caller.node, true))) {
      caller.callsItself = true
      return
    }
  }
}

const isOwn = (text: string, name: string): boolean =>
  [`self.${name}`, `cls.${name}`, `this.${name}`, `Self::${name}`].includes(text)

/** The name of a method that is called on nothing, or on the object itself. */
function methodText(call: Node): string {
  const object = call.childForFieldName('object')?.type
  return object !== undefined && object !== 'this' ? '' : (call.childForFieldName('name')?.text ?? '')
}

const shortText = (node: Node, charactersMax: number): string =>
  node.endIndex - node.startIndex > charactersMax ? '' : node.text

const argumentCount = (call: Node): number => call.childForFieldName('arguments')?.namedChildCount ?? 0
