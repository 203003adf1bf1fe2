import type { Node } from 'web-tree-sitter'
import type { Definition, SourceLanguage } from '../ports/source-parser.ts'

/** A node and where it stands. */
export interface Place {
  readonly node: Node
  /** The named children of what it stands in, and its index among them. */
  readonly siblings: readonly Node[]
  readonly index: number
  readonly outer: Place | null
}

/** How a language defines, publishes and documents. */
export interface DefinitionRules {
  kindOf(node: Node): Definition['kind'] | null
  isPublic(place: Place, name: string, container: string): boolean
  /** Whether a documentation comment belongs to it, or none is wanted. */
  hasDocs(place: Place): boolean
  /** The name of what holds definitions without being one: `impl User`, a namespace. */
  containerOf?(node: Node): string | null
  /** What a method belongs to where it does not stand in it. */
  receiverOf?(node: Node): string | null
  /** Nodes that hold no definitions of the file. */
  readonly closed: ReadonlySet<string>
  /** Names can be exported apart from their definition. */
  readonly exports: boolean
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

function kinds(functions: string, classes: string): (node: Node) => Definition['kind'] | null {
  const isFunction = words(functions)
  const isClass = words(classes)
  return ({ type }) => (isFunction.has(type) ? 'function' : isClass.has(type) ? 'class' : null)
}

/** The comment right above a node, over what `skip` names (attributes). */
function commentAbove({ node, siblings, index }: Place, skip = ''): Node | null {
  let row = node.startPosition.row
  for (let at = index - 1; at >= 0; at--) {
    const above = siblings[at]
    if (above === undefined || row - lastRow(above) > 1) return null
    if (above.type.endsWith('comment')) return above
    if (above.type !== skip) return null
    row = above.startPosition.row
  }
  return null
}

/** Some comments end with their newline, which is the next row. */
const lastRow = ({ startPosition, endPosition }: Node): number =>
  endPosition.column === 0 && endPosition.row > startPosition.row ? endPosition.row - 1 : endPosition.row

const startsWith = (node: Node | null, ...starts: string[]): boolean =>
  node !== null && starts.some((start) => node.text.startsWith(start))

const python: DefinitionRules = {
  kindOf: kinds('function_definition', 'class_definition'),
  isPublic: (_place, name) => !name.startsWith('_'),
  hasDocs({ node, siblings, outer }) {
    // Only a decorated definition stands beside its decorators; other siblings are as many as the file has statements.
    const decorators = outer?.node.type === 'decorated_definition' ? siblings : []
    if (decorators.some(({ text }) => /^@(?:\w+\.)?(?:overload|setter|deleter)\b/.test(text))) return true
    const first = node.childForFieldName('body')?.namedChildren.find(({ type }) => type !== 'comment')
    const value = first?.type === 'expression_statement' ? first.namedChildren[0] : first
    return value?.type === 'string' || value?.type === 'concatenated_string'
  },
  closed: words('lambda expression_statement'),
  exports: false,
}

const scriptKinds = kinds(
  'function_declaration generator_function_declaration function_signature method_definition abstract_method_signature',
  'class_declaration abstract_class_declaration interface_declaration type_alias_declaration enum_declaration',
)
const scriptFunctions = words('arrow_function function_expression generator_function')
const scriptTypes = words('interface_declaration type_alias_declaration enum_declaration')
const javascript: DefinitionRules = {
  kindOf(node) {
    if (node.type !== 'variable_declarator') return scriptKinds(node)
    return scriptFunctions.has(node.childForFieldName('value')?.type ?? '') ? 'function' : null
  },
  isPublic: ({ node, outer }) => !scriptTypes.has(node.type) && statementOf(outer)?.node.type === 'export_statement',
  hasDocs(place) {
    const statement = statementOf(place.outer)
    const top = statement?.node.type === 'export_statement' ? statement : place
    const own = place.node.type === 'variable_declarator' && top === place ? (place.outer ?? place) : top
    return startsWith(commentAbove(own, 'decorator'), '/**')
  },
  closed: words('arrow_function function_expression generator_function arguments'),
  exports: true,
}

/** What a declaration is a part of: `export const f = ...` has the declarator two levels down. */
function statementOf(outer: Place | null): Place | null {
  return outer?.node.type.endsWith('_declaration') && !outer.node.type.startsWith('class') ? outer.outer : outer
}

const go: DefinitionRules = {
  kindOf: kinds('function_declaration method_declaration', 'type_spec type_alias'),
  isPublic: (_place, name, receiver) => [name, receiver].every((each) => each === '' || /^\p{Lu}/u.test(each)),
  hasDocs: (place) =>
    commentAbove(place) !== null ||
    (place.outer?.node.type === 'type_declaration' && place.index === 0 && commentAbove(place.outer) !== null),
  receiverOf(node) {
    const type = node.childForFieldName('receiver')?.namedChildren[0]?.childForFieldName('type')
    return type?.text.replace(/^\*/, '').replace(/\[.*$/s, '') ?? null
  },
  closed: words('var_declaration const_declaration'),
  exports: false,
}

const rust: DefinitionRules = {
  kindOf: kinds('function_item function_signature_item', 'struct_item enum_item union_item trait_item type_item'),
  isPublic: ({ node }) => node.namedChildren.some(({ type, text }) => type === 'visibility_modifier' && text === 'pub'),
  hasDocs(place) {
    const { siblings, index } = place
    const above = siblings[index - 1]
    if (above?.type === 'attribute_item' && above.text.startsWith('#[doc')) return true
    return startsWith(commentAbove(place, 'attribute_item'), '///', '/**')
  },
  containerOf: (node) => (node.type === 'impl_item' ? (node.childForFieldName('type')?.text ?? null) : null),
  closed: words('macro_definition macro_invocation'),
  exports: false,
}

const java: DefinitionRules = {
  kindOf: kinds(
    'method_declaration constructor_declaration compact_constructor_declaration',
    'class_declaration interface_declaration enum_declaration record_declaration annotation_type_declaration',
  ),
  isPublic: ({ node }) => /\bpublic\b/.test(modifiersOf(node)),
  hasDocs: (place) => modifiersOf(place.node).includes('@Override') || startsWith(commentAbove(place), '/**'),
  closed: words('field_declaration'),
  exports: false,
}

const modifiersOf = (node: Node): string => node.namedChildren.find(({ type }) => type === 'modifiers')?.text ?? ''

const cTypes = words('struct_specifier class_specifier enum_specifier union_specifier')
const c: DefinitionRules = {
  kindOf(node) {
    if (node.type === 'function_definition') return 'function'
    return cTypes.has(node.type) && node.childForFieldName('body') !== null ? 'class' : null
  },
  isPublic: () => false,
  hasDocs: () => true,
  containerOf: (node) => (node.type === 'namespace_definition' ? (node.childForFieldName('name')?.text ?? null) : null),
  closed: words('lambda_expression'),
  exports: false,
}

/** A language that is not here has no definitions. */
export const definitionRules: Partial<Record<SourceLanguage, DefinitionRules>> = {
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
