import { type ImportRules, namesIn } from './tree-sitter-import-rules.ts'

const identifiers = new Set(['identifier', 'type_identifier'])

/** `import a.*` brings names that nobody sees. What Javadoc mentions is used. */
export const javaImports: ImportRules = {
  importedBy(node) {
    if (node.type !== 'import_declaration') return null
    if (node.namedChildren.some(({ type }) => type === 'asterisk')) return []
    const path = node.namedChildren.find(({ type }) => type === 'scoped_identifier')
    const name = path?.childForFieldName('name')?.text
    return name === undefined ? [] : [{ name, line: node.startPosition.row + 1 }]
  },

  see(node, seen) {
    if (identifiers.has(node.type)) seen.used.add(node.text)
    else if (node.type === 'block_comment' && node.text.startsWith('/**')) {
      for (const name of namesIn(node.text)) seen.used.add(name)
    }
    return null
  },
}
