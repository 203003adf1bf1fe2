import type { Node, Parser } from 'web-tree-sitter'
import type { SyntaxFault } from '../ports/source-parser.ts'
import { faultAt, syntaxFaults } from './tree-sitter-syntax.ts'

// Every text is Markdown, and the grammar's own error nodes are its own errors: it has them in sound files (4 of 1,130 that
// were tried). So only what goes wrong when a model writes a document is looked for.

/** The text as the grammar wants it: it does not take a fence for closed on a last line without an end. */
export const toMarkdownSource = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`)

/** Code fences that are not closed, and front matter that is not closed or is no YAML. In order of position. */
export function markdownFaults(root: Node, text: string, yaml: Parser): SyntaxFault[] {
  return [...frontMatterFaults(root, text, yaml), ...openFences(root, text)].sort((a, b) => a.line - b.line)
}

function* openFences(root: Node, text: string): Generator<SyntaxFault> {
  const lines = text.split('\n')
  for (const block of root.descendantsOfType('fenced_code_block')) {
    const delimiters = block?.children.filter((child) => child.type === 'fenced_code_block_delimiter') ?? []
    const [opening] = delimiters
    if (opening === undefined || delimiters.length > 1) continue
    const mark = /^[`~]+/.exec(opening.text.trim())?.[0] ?? '```'
    const line = (lines[opening.startPosition.row] ?? '').trim()
    yield faultAt(
      opening,
      `The code fence that starts here (${line}) is not closed: add a line ${mark} after the code. A block that shows fences itself needs a longer one around it, ${mark}${mark[0] ?? ''}`,
    )
  }
}

function frontMatterFaults(root: Node, text: string, yaml: Parser): SyntaxFault[] {
  const first = root.firstNamedChild
  if (first?.type === 'minus_metadata') return yamlFaults(first.text, yaml)
  // `---` and a key right below it: nobody begins a document with a rule and then that.
  if (!/^---[ \t]*\r?\n[A-Za-z_][\w-]*:(?:[ \t].*)?\r?\n/.test(text)) return []
  const message = 'The front matter that starts here is not closed: add a line --- after its last key'
  return [{ line: 1, column: 1, message }]
}

function yamlFaults(block: string, yaml: Parser): SyntaxFault[] {
  // The dashes go, their lines stay, so that positions are those of the file.
  const source = block.replace(/^---[^\n]*/, '').replace(/\n---\s*$/, '\n')
  if (!/^\s*[A-Za-z_"'][^\n]*:/.test(source)) return []
  const tree = yaml.parse(source)
  if (tree === null) return []
  try {
    return syntaxFaults(tree.rootNode, 'yaml', source).faults.map((fault) => ({
      ...fault,
      message: `Front matter: ${fault.message}`,
    }))
  } finally {
    tree.delete()
  }
}
