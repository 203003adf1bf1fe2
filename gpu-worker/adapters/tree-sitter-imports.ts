import type { Node } from 'web-tree-sitter'
import type { SourceLanguage, UnusedImport } from '../ports/source-parser.ts'
import type { ImportedName, ImportRules, SeenNames } from './tree-sitter-import-rules.ts'
import { goImports } from './tree-sitter-imports-go.ts'
import { javaImports } from './tree-sitter-imports-java.ts'
import { pythonImports } from './tree-sitter-imports-python.ts'
import { scriptImports } from './tree-sitter-imports-script.ts'

/** A name may be as long as the file. */
const NAME_CHARACTERS_MAX = 80

const rules: Partial<Record<SourceLanguage, ImportRules>> = {
  python: pythonImports,
  javascript: scriptImports,
  typescript: scriptImports,
  tsx: scriptImports,
  go: goImports,
  java: javaImports,
}

/**
 * Imported names that the rest of a text without faults does not mention, in order. A name counts as used wherever it
 * stands, even where it is another thing of the same name: what is listed is unused. Null for a language whose grammar
 * does not show it: a trait that Rust imports is used without being named, and C includes no names.
 */
export function unusedImportsIn(root: Node, language: SourceLanguage): UnusedImport[] | null {
  const rule = rules[language]
  if (rule === undefined) return null
  const seen: SeenNames = { used: new Set(), excusedRows: new Set(), qualifiers: new Set(), isExcused: false }
  const imported: { readonly each: ImportedName; readonly firstRow: number; readonly lastRow: number }[] = []
  // A stack of its own: source may be nested deeper than calls can be.
  const pending: { readonly node: Node; readonly isFree: boolean }[] = [{ node: root, isFree: false }]
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { node } = visit
    const names = rule.importedBy(node)
    if (names !== null && !visit.isFree) {
      const rows = { firstRow: node.startPosition.row, lastRow: node.endPosition.row }
      imported.push(...names.map((each) => ({ each, ...rows })))
    }
    const parts = names === null ? rule.see(node, seen) : commentsOf(node)
    const isFree = node.type !== 'function_definition' && (visit.isFree || rule.free?.has(node.type) === true)
    for (const child of parts ?? node.namedChildren) pending.push({ node: child, isFree })
  }
  if (seen.isExcused) return []
  const known = new Set(imported.flatMap(({ each }) => [each.name, ...(each.others ?? [])]))
  const isExplained = [...seen.qualifiers].every((name) => known.has(name) || seen.used.has(name))
  const isUsed = (name: string): boolean => seen.used.has(name) || seen.qualifiers.has(name)
  return imported
    .filter(({ each, firstRow, lastRow }) => {
      if (isUsed(each.name) || (each.others ?? []).some(isUsed)) return false
      return (each.isGuess !== true || isExplained) && !isExcusedAt(firstRow, lastRow, seen)
    })
    .map(({ each: { name, line } }) => ({ name: name.slice(0, NAME_CHARACTERS_MAX), line }))
    .sort((a, b) => a.line - b.line)
}

const commentsOf = (node: Node): Node[] => node.namedChildren.filter(({ type }) => type.endsWith('comment'))

function isExcusedAt(firstRow: number, lastRow: number, { excusedRows }: SeenNames): boolean {
  for (let row = firstRow; row <= lastRow; row++) if (excusedRows.has(row)) return true
  return false
}
