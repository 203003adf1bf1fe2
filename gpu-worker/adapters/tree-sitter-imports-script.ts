import type { Node } from 'web-tree-sitter'
import { type ImportedName, type ImportRules, namesIn, type SeenNames } from './tree-sitter-import-rules.ts'

const uses = new Set(['identifier', 'type_identifier', 'shorthand_property_identifier'])
const markup = new Set(['jsx_element', 'jsx_self_closing_element', 'jsx_fragment'])
/** What markup may be compiled to without being named: which, the compiler's settings say. */
const markupNames = ['React', 'h', 'Fragment', 'jsx', 'createElement']
const excuse = /eslint-disable-(?:next-)?line|@ts-ignore|@ts-expect-error|biome-ignore|tslint:disable/
const excuseAll = /eslint-disable(?!-)|@ts-nocheck|biome-ignore-all/

/** `import 'x'` brings no name, so it is never unused; `export ... from` brings none into the file. */
export const scriptImports: ImportRules = {
  importedBy(node) {
    if (node.type !== 'import_statement') return null
    return node.namedChildren.flatMap((clause) => {
      if (clause.type === 'import_require_clause') return toName(clause.namedChildren[0])
      return clause.type === 'import_clause' ? clause.namedChildren.flatMap(namesOf) : []
    })
  },

  see(node, seen) {
    if (uses.has(node.type)) seen.used.add(node.text)
    else if (markup.has(node.type)) for (const name of markupNames) seen.used.add(name)
    else if (node.type === 'comment') seeComment(node, seen)
    else if (node.type === 'export_statement' && node.childForFieldName('source') !== null) return []
    return null
  },
}

function namesOf(part: Node): ImportedName[] {
  if (part.type === 'identifier') return toName(part)
  if (part.type === 'namespace_import') return toName(part.namedChildren[0])
  return part.namedChildren.flatMap((each) =>
    each.type === 'import_specifier' ? toName(each.childForFieldName('alias') ?? each.childForFieldName('name')) : [],
  )
}

const toName = (node: Node | null | undefined): ImportedName[] =>
  node === null || node === undefined ? [] : [{ name: node.text, line: node.startPosition.row + 1 }]

function seeComment(node: Node, seen: SeenNames): void {
  const { text } = node
  if (excuseAll.test(text)) seen.isExcused = true
  if (excuse.test(text)) seen.excusedRows.add(node.startPosition.row).add(node.endPosition.row + 1)
  for (const [, name] of text.matchAll(/@jsx(?:Frag)?\s+([\w$]+)/g)) if (name !== undefined) seen.used.add(name)
  if (!text.startsWith('/**')) return
  for (const [braced] of text.matchAll(/\{[^}]*\}|@(?:see|link)\s+\S+/g))
    for (const name of namesIn(braced)) seen.used.add(name)
}
