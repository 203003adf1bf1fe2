import type { Node } from 'web-tree-sitter'
import type { NamedConstant, SourceLanguage } from '../ports/source-parser.ts'

/** The names that a statement makes constants. */
type ConstantNames = (statement: Node) => readonly Node[]

/** Values that are what they say: a call or an object may be a service as well as a constant. */
const literals = new Set(['number', 'string', 'true', 'false', 'unary_expression', 'template_string'])

const named = (type: string, { namedChildren }: Node): Node[] =>
  namedChildren.flatMap((child) => (child.type === type ? (child.childForFieldName('name') ?? []) : []))

/** Annotated with `Final`: everything else of Python may be bound again. */
const python: ConstantNames = (statement) => {
  const assignment = statement.namedChildren[0]
  if (statement.type !== 'expression_statement' || assignment?.type !== 'assignment') return []
  const isFinal = /^(?:typing\.|t\.)?Final\b/.test(assignment.childForFieldName('type')?.text ?? '')
  const left = assignment.childForFieldName('left')
  return isFinal && left?.type === 'identifier' ? [left] : []
}

const javascript: ConstantNames = (statement) => {
  const declaration = statement.type === 'export_statement' ? statement.childForFieldName('declaration') : statement
  if (declaration?.type !== 'lexical_declaration' || declaration.firstChild?.type !== 'const') return []
  return declaration.namedChildren.flatMap((each) => {
    const name = each.childForFieldName('name')
    return name?.type === 'identifier' && literals.has(each.childForFieldName('value')?.type ?? '') ? [name] : []
  })
}

const go: ConstantNames = (statement) => (statement.type === 'const_declaration' ? named('const_spec', statement) : [])

const rust: ConstantNames = (statement) =>
  statement.type === 'const_item' || statement.type === 'static_item'
    ? [statement.childForFieldName('name')].flatMap((n) => n ?? [])
    : []

/** The `static final` fields of the classes of a file. */
const java: ConstantNames = ({ namedChildren }) =>
  namedChildren
    .filter(({ type }) => type === 'class_body' || type === 'interface_body' || type === 'enum_body')
    .flatMap((body) => body.namedChildren)
    .filter((member) => {
      const modifiers = member.namedChildren.find(({ type }) => type === 'modifiers')?.text ?? ''
      return member.type === 'field_declaration' && /\bstatic\b/.test(modifiers) && /\bfinal\b/.test(modifiers)
    })
    .flatMap((field) => named('variable_declarator', field))

/** Macros with a value and no arguments. */
const c: ConstantNames = (statement) =>
  statement.type === 'preproc_def' && statement.childForFieldName('value') !== null
    ? [statement.childForFieldName('name')].flatMap((name) => name ?? [])
    : []

/** A language that is not here shows no constants. */
const rules: Partial<Record<SourceLanguage, ConstantNames>> = {
  python,
  javascript,
  typescript: javascript,
  tsx: javascript,
  go,
  rust,
  java,
  c,
  cpp: c,
}

/** The constants at the top level of a text without faults (in Java, of its classes), in order. */
export function constantsIn(root: Node, language: SourceLanguage): NamedConstant[] {
  const namesOf = rules[language]
  if (namesOf === undefined) return []
  return root.namedChildren.flatMap((statement) =>
    namesOf(statement).map((node) => ({ name: node.text, line: node.startPosition.row + 1 })),
  )
}
