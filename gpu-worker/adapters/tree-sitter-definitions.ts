import type { Node } from 'web-tree-sitter'
import type { Definition, SourceLanguage } from '../ports/source-parser.ts'
import { type DefinitionRules, definitionRules, type Place } from './tree-sitter-definition-rules.ts'
import { functionName } from './tree-sitter-functions.ts'
import { untypedParts } from './tree-sitter-types.ts'

/** Names of what is nested deeper than this are not lengthened further: source may be nested without limit. */
const CONTAINER_CHARACTERS_MAX = 200

interface Visit extends Place {
  readonly container: string
  readonly inPublic: boolean
}

/** The definitions of a text without faults, in order. Empty for a language that has none. */
export function definitionsIn(root: Node, language: SourceLanguage): Definition[] {
  const rules = definitionRules[language]
  if (rules === undefined) return []
  const definitions: Definition[] = []
  const exported = new Set<string>()
  // A stack of its own, and siblings by index: source may be nested deeper than calls can be, and asking a node for its
  // sibling walks all that stand before it.
  const pending: Visit[] = [{ node: root, siblings: [root], index: 0, outer: null, container: '', inPublic: true }]
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    if (visit.node.type === 'export_specifier') exported.add(visit.node.childForFieldName('name')?.text ?? '')
    const definition = toDefinition(visit, rules, language)
    if (definition !== null) definitions.push(definition)
    if (definition?.kind === 'function' || rules.closed.has(visit.node.type)) continue
    pending.push(...toVisits(visit, definition, rules))
  }
  return definitions.map((each) => (exported.has(each.name) && rules.exports ? { ...each, isPublic: true } : each))
}

function toDefinition(visit: Visit, rules: DefinitionRules, language: SourceLanguage): Definition | null {
  const { node, container, inPublic } = visit
  const kind = rules.kindOf(node)
  if (kind === null) return null
  const receiver = rules.receiverOf?.(node) ?? container
  const own = functionName(node)
  return {
    name: receiver === '' ? own : `${receiver}.${own}`,
    kind,
    line: node.startPosition.row + 1,
    endLine: node.endPosition.row + 1,
    isPublic: inPublic && rules.isPublic(visit, own, receiver),
    hasDocs: rules.hasDocs(visit),
    ...untypedParts(visit, language),
  }
}

/** What stands in a node, last first, as the stack wants it. */
function toVisits(visit: Visit, definition: Definition | null, rules: DefinitionRules): Visit[] {
  const { node, container, inPublic } = visit
  const named = definition?.name ?? rules.containerOf?.(node) ?? null
  const inner = named === null || named.length > CONTAINER_CHARACTERS_MAX ? container : named
  const siblings = node.namedChildren
  const isPublic = definition === null ? inPublic : definition.isPublic || rules.exports
  return siblings
    .map((child, index) => ({ node: child, siblings, index, outer: visit, container: inner, inPublic: isPublic }))
    .reverse()
}
