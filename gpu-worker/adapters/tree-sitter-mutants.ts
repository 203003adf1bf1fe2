import type { Node } from 'web-tree-sitter'
import type { Mutant, SourceLanguage } from '../ports/source-parser.ts'
import { definitionRules } from './tree-sitter-definition-rules.ts'
import { functionName } from './tree-sitter-functions.ts'

/** More than anybody tries. */
const MUTANTS_MAX = 500

/** What a function does when its body is gone: as little as its language compiles. */
const emptyBodies: Partial<Record<SourceLanguage, { readonly block: string; readonly expression: string }>> = {
  python: { block: 'return None', expression: 'None' },
  javascript: { block: '{ return undefined }', expression: 'undefined' },
  typescript: { block: '{ return undefined as never }', expression: '(undefined as never)' },
  tsx: { block: '{ return undefined as never }', expression: '(undefined as never)' },
  go: { block: '{ panic("broken on purpose") }', expression: '' },
  rust: { block: '{ panic!("broken on purpose") }', expression: '' },
  java: { block: '{ throw new RuntimeException("broken on purpose"); }', expression: '' },
}

const operators: Readonly<Record<string, string>> = {
  '==': '!=',
  '!=': '==',
  '===': '!==',
  '!==': '===',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
  '+': '-',
  '-': '+',
  '*': '+',
  '+=': '-=',
  '-=': '+=',
  '&&': '||',
  '||': '&&',
  and: 'or',
  or: 'and',
}
const operations = /^(?:binary_|comparison_|boolean_|augmented_|assignment_operator|compound_)/
const truths: Readonly<Record<string, string>> = { True: 'False', False: 'True', true: 'false', false: 'true' }
const numbers = new Set(['integer', 'number', 'int_literal', 'integer_literal', 'decimal_integer_literal'])

/**
 * Ways to break the code of a text, each by one replacement: a function whose body is gone, a comparison that is turned, an
 * operator or a constant that is another. In order of position; empty where the language has no functions here.
 */
export function mutantsIn(root: Node, language: SourceLanguage): Mutant[] {
  const rules = definitionRules[language]
  const empty = emptyBodies[language]
  if (rules === undefined || empty === undefined) return []
  const mutants: Mutant[] = []
  const pending: { readonly node: Node; readonly within: string | null }[] = [{ node: root, within: null }]
  for (let visit = pending.pop(); visit !== undefined && mutants.length < MUTANTS_MAX; visit = pending.pop()) {
    const { node, within } = visit
    const isFunction = rules.kindOf(node) === 'function'
    const name = isFunction && within === null ? functionName(node) : within
    if (isFunction && within === null) mutants.push(...emptied(node, functionName(node), empty))
    if (within !== null) mutants.push(...changed(node, within))
    const children = node.children.filter((child) => child !== null)
    pending.push(...children.map((child) => ({ node: child, within: name })).reverse())
  }
  return mutants
}

function emptied(node: Node, name: string, empty: { readonly block: string; readonly expression: string }): Mutant[] {
  const holder = node.type === 'variable_declarator' ? node.childForFieldName('value') : node
  const body = holder?.childForFieldName('body') ?? null
  if (body === null || isTrivial(body)) return []
  const isBlock = body.type === 'block' || body.type.endsWith('_block') || body.type === 'constructor_body'
  const replacement = isBlock ? empty.block : empty.expression
  if (replacement === '') return []
  const line = node.startPosition.row + 1
  return [
    {
      function: name,
      kind: 'emptied',
      line,
      what: `\`${name}\` (line ${line}) did nothing`,
      start: body.startIndex,
      end: body.endIndex,
      replacement,
    },
  ]
}

/** A body that does nothing already. */
function isTrivial(body: Node): boolean {
  const statements = body.namedChildren.filter(({ type }) => !type.endsWith('comment'))
  return (
    body.type.endsWith('block') &&
    statements.every(
      ({ type, text }) => type === 'pass_statement' || /^(?:\.\.\.|return(?: None)?;?|["'].*)$/s.test(text),
    )
  )
}

function changed(node: Node, within: string): Mutant[] {
  const replacement = replacementOf(node)
  if (replacement === null) return []
  const line = node.startPosition.row + 1
  const what = `line ${line}, in \`${within}\`: \`${node.text}\` was \`${replacement}\``
  return [{ function: within, kind: 'changed', line, what, start: node.startIndex, end: node.endIndex, replacement }]
}

function replacementOf(node: Node): string | null {
  const { type } = node
  if (!node.isNamed) return operations.test(node.parent?.type ?? '') ? (operators[type] ?? null) : null
  if (type === 'true' || type === 'false' || type === 'boolean_literal') return truths[node.text] ?? null
  if (!numbers.has(type) || !/^\d{1,9}$/.test(node.text)) return null
  return String(Number(node.text) + 1)
}
