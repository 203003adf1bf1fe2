import { createHash } from 'node:crypto'
import type { Node } from 'web-tree-sitter'
import type { SourceLanguage } from '../ports/source-parser.ts'

/** Comments that a compiler, a linter or a test runner obeys: what they say is no documentation. */
const directives: readonly RegExp[] = [
  /^#!/,
  /^#\s*(?:type:|noqa\b|nosec\b|pragma:|pylint:|mypy:|pyright:|ruff:|flake8:|fmt:|isort:|yapf:|-\*-|.*\bcoding[:=])/,
  /^\/[/*]\*?\s*(?:@ts-|@jsx|@flow|@vitest|@jest|eslint-|biome-|prettier-|istanbul |c8 |v8 |clang-format|NOLINT)/,
  /^\/\*\s*(?:eslint|globals?|jshint)\b/,
  // Without a blank, or they are none.
  /^\/\/(?:go:|\+build|nolint|line |export )/,
]
const isDirective = (comment: string): boolean => directives.some((each) => each.test(comment))
const mayDocument = /comment$|^expression_statement$/
const pythonScopes = new Set(['module', 'block'])

export interface CodeTokens {
  /** Equal for two texts whose code is the same, however it is documented and laid out. */
  readonly hash: string
  readonly tokens: number
  /** Comments that a tool obeys. */
  readonly directives: number
}

/**
 * The code of a text without its comments and docstrings: each leaf with its text, its type and how deep it stands, so that
 * a statement that moves into another block of Python counts as changed.
 */
export function codeOf(root: Node, language: SourceLanguage, text: string): CodeTokens {
  const hash = createHash('sha256')
  let tokens = 0
  let directives = 0
  const cursor = root.walk()
  let depth = 0
  try {
    for (;;) {
      const isLeftOut = mayDocument.test(cursor.nodeType) && isDocumentation(cursor.currentNode, language)
      if (!isLeftOut && cursor.gotoFirstChild()) {
        depth++
        continue
      }
      if (!isLeftOut && cursor.endIndex > cursor.startIndex && !/^\s*$/.test(cursor.nodeType)) {
        hash.update(`${depth}\0${cursor.nodeType}\0${text.slice(cursor.startIndex, cursor.endIndex)}\0`)
        tokens++
        if (cursor.nodeType.endsWith('comment')) directives++
      }
      while (!cursor.gotoNextSibling()) {
        if (!cursor.gotoParent()) return { hash: hash.digest('hex'), tokens, directives }
        depth--
      }
    }
  } finally {
    cursor.delete()
  }
}

function isDocumentation(node: Node, language: SourceLanguage): boolean {
  if (node.type.endsWith('comment')) return !isDirective(node.text)
  return language === 'python' && isDocstring(node)
}

/** A plain text that stands first in a module, a class or a function. */
function isDocstring(node: Node): boolean {
  if (node.type !== 'expression_statement') return false
  const value = node.namedChildren.length === 1 ? node.firstNamedChild : null
  if (value?.type !== 'string' && value?.type !== 'concatenated_string') return false
  if (/^[a-z]*[bf]/i.test(value.text)) return false
  const { parent } = node
  if (parent === null || !pythonScopes.has(parent.type)) return false
  const owner = parent.type === 'module' ? 'module' : (parent.parent?.type ?? '')
  if (owner !== 'module' && owner !== 'class_definition' && owner !== 'function_definition') return false
  return parent.namedChildren.find(({ type }) => type !== 'comment')?.id === node.id
}
