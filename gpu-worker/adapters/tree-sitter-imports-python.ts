import type { Node } from 'web-tree-sitter'
import { type ImportedName, type ImportRules, namesIn, type SeenNames } from './tree-sitter-import-rules.ts'

/** Modules that are imported for what they do. */
const effects = new Set(['readline', 'rlcompleter', 'antigravity', 'this'])
const excuse = /#\s*(?:noqa|type:\s*ignore|pyright:\s*ignore|pylint:\s*disable)/
/** What a string may hold that names a type, or a name of `__all__`. */
const typeText = /^[\w\s.,[\]|"']+$/
const TYPE_CHARACTERS_MAX = 200

export const pythonImports: ImportRules = {
  importedBy(node) {
    if (node.type === 'future_import_statement') return []
    if (node.type !== 'import_statement' && node.type !== 'import_from_statement') return null
    const isFrom = node.type === 'import_from_statement'
    return node.childrenForFieldName('name').flatMap((each) => importedName(each, isFrom))
  },

  see(node, seen) {
    if (node.type === 'identifier') seen.used.add(node.text)
    else if (node.type === 'attribute') return fields(node, 'object')
    else if (node.type === 'keyword_argument') return fields(node, 'value')
    else if (node.type === 'expression_statement' && isText(node)) return []
    else if (node.type === 'string') seeString(node, seen)
    else if (node.type === 'comment') seeComment(node, seen)
    return null
  },

  free: new Set(['try_statement', 'class_definition']),
}

function importedName(each: Node, isFrom: boolean): ImportedName[] {
  const line = each.startPosition.row + 1
  if (each.type !== 'aliased_import') {
    const name = each.namedChildren[0]?.text ?? ''
    // `__version__` and its like are read from outside.
    return (isFrom ? /^__.*__$/.test(name) : effects.has(name)) ? [] : [{ name, line }]
  }
  const name = each.childForFieldName('alias')?.text ?? ''
  // `import a as a` says that it is for others.
  return name === each.childForFieldName('name')?.text ? [] : [{ name, line }]
}

const fields = (node: Node, name: string): Node[] => node.childrenForFieldName(name)

/** A docstring, or another string that is for people only. */
function isText({ namedChildren: [only, ...more] }: Node): boolean {
  return (
    only?.type === 'string' && more.length === 0 && only.namedChildren.every(({ type }) => type !== 'interpolation')
  )
}

/** Annotations may stand in strings, and `__all__` is made of them. */
function seeString(node: Node, seen: SeenNames): void {
  if (node.endIndex - node.startIndex > TYPE_CHARACTERS_MAX) return
  const content = node.namedChildren.filter(({ type }) => type === 'string_content').map(({ text }) => text)
  if (content.length === 1 && typeText.test(content[0] ?? ''))
    for (const name of namesIn(content[0] ?? '')) seen.used.add(name)
}

function seeComment(node: Node, seen: SeenNames): void {
  const { text } = node
  if (excuse.test(text)) seen.excusedRows.add(node.startPosition.row)
  else if (/^#\s*type:/.test(text)) for (const name of namesIn(text)) seen.used.add(name)
  if (/^#\s*(?:flake8|ruff):\s*noqa/.test(text)) seen.isExcused = true
}
