import type { ImportedName, ImportRules } from './tree-sitter-import-rules.ts'

const identifiers = new Set(['identifier', 'package_identifier', 'type_identifier'])
/** First elements of the standard library's paths: there a package is called as its path ends. */
const standard = new Set(
  (
    'archive bufio bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go ' +
    'hash html image index io iter log maps math mime net os path plugin reflect regexp runtime slices sort strconv ' +
    'strings structs sync syscall testing text time unicode unique unsafe weak'
  ).split(' '),
)

/** `_` and `.` bring no name; `C` is no package. */
export const goImports: ImportRules = {
  importedBy(node) {
    if (node.type !== 'import_spec') return null
    const name = node.childForFieldName('name')
    const path = (node.childForFieldName('path')?.text ?? '').slice(1, -1)
    const line = node.startPosition.row + 1
    if (name !== null) return name.type === 'package_identifier' ? [{ name: name.text, line }] : []
    return path === 'C' ? [] : [fromPath(path, line)]
  },

  see(node, seen) {
    if (identifiers.has(node.type)) seen.used.add(node.text)
    if (node.type !== 'selector_expression' && node.type !== 'qualified_type') return null
    const operand = node.childForFieldName('operand') ?? node.childForFieldName('package')
    if (operand?.type !== 'identifier' && operand?.type !== 'package_identifier') return null
    seen.qualifiers.add(operand.text)
    return node.namedChildren.filter(({ id }) => id !== operand.id)
  },
}

/** What the package may be called: its path's last element without a version and the words that say that it is Go. */
function fromPath(path: string, line: number): ImportedName {
  const elements = path.split('/').filter((element, index) => index === 0 || !/^v\d+$/.test(element))
  const last = (elements.at(-1) ?? path).replace(/\.v\d+$/, '')
  const others = [last.replace(/^go[-.]|[-.]go$/g, ''), last.replaceAll(/[-.]/g, ''), last.replaceAll('-', '_')]
  return { name: last, line, others, isGuess: !standard.has(elements[0] ?? '') }
}
