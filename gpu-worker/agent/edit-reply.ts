import { type LineEdit, orderEdits } from './line-edits.ts'
import { type Block, findBlocks } from './reply.ts'
import { answerLines } from './reply-noise.ts'

/** What is wrong with a reply of edits. */
export type EditFault = 'no_edit' | 'edit_block' | 'edit_range' | 'edit_overlap' | 'unclosed_fence'

export type EditReply =
  | { readonly kind: 'edits'; readonly edits: readonly LineEdit[] }
  | { readonly kind: 'fault'; readonly fault: EditFault; readonly message: string }

interface Heading {
  readonly verb: 'replace' | 'insert' | 'delete'
  readonly from: number
  readonly to: number
  /** As it is told to the model. */
  readonly said: string
}
type NamedEdit = LineEdit & { readonly said: string }

/**
 * Reads edits of a text with so many lines: `Replace A-B`, `Insert after A` or `Delete A-B`, each on a line by itself, the
 * first two with a fenced block behind it. Takes what models do around them: words, marks of Markdown, another order. Never
 * guesses which lines are meant.
 */
export function parseEdits(reply: string, lineCount: number): EditReply {
  const lines = answerLines(reply, (some) => findBlocks(some) === 'unclosed')
  const blocks = findBlocks(lines)
  if (blocks === 'unclosed') return fault('unclosed_fence', 'A fenced code block is not closed: end each with ```')
  const edits: NamedEdit[] = []
  let heading: Heading | null = null
  for (const part of partsOf(lines, blocks)) {
    if ('verb' in part) {
      if (heading !== null) return withoutBlock(heading)
      if (part.verb === 'delete') edits.push({ ...part, lines: [] })
      else heading = part
    } else {
      if (heading === null) return fault('no_edit', NO_HEADING)
      edits.push({ ...heading, lines: lines.slice(part.start + 1, part.end) })
      heading = null
    }
  }
  if (heading !== null) return withoutBlock(heading)
  return edits.length === 0 ? fault('no_edit', NO_EDIT) : toOrdered(edits, lineCount)
}

/** Headings and blocks in order. What stands within a block is no heading. */
function partsOf(lines: readonly string[], blocks: readonly Block[]): (Heading | Block)[] {
  const parts: (Heading | Block)[] = []
  let block = 0
  for (let index = 0; index < lines.length; index++) {
    const next = blocks[block]
    if (next?.start === index) {
      parts.push(next)
      index = next.end
      block++
    } else {
      const heading = readHeading(lines[index] ?? '')
      if (heading !== null) parts.push(heading)
    }
  }
  return parts
}

const NO_HEADING = 'Write `Replace A-B` or `Insert after A` on the line above each code block, with numbers of lines'
const NO_EDIT = 'The answer holds no edit: write `Replace A-B`, `Insert after A` or `Delete A-B`, with numbers of lines'

const withoutBlock = ({ said }: Heading): EditReply =>
  fault(
    'edit_block',
    `Behind \`${said}\` there is no code block: put the new lines into one, between \`\`\` and \`\`\``,
  )

const fault = (kind: EditFault, message: string): EditReply => ({ kind: 'fault', fault: kind, message })

const HEADING =
  /^\s*(?:[-*#>]+\s+|\d+[.)]\s+)?[*`]*(replace|insert after|delete)(?: lines?)? (\d{1,7})(?:\s*(?:-|–|—|to|through)\s*(\d{1,7}))?[*`:.]*\s*$/i

function readHeading(line: string): Heading | null {
  const found = HEADING.exec(line)
  if (found === null) return null
  const [, word = '', first = '', last = first] = found
  const [from, to] = [Number(first), Number(last)]
  switch (word.toLowerCase()) {
    case 'replace':
      return { verb: 'replace', from, to, said: `Replace ${from}-${to}` }
    case 'delete':
      return { verb: 'delete', from, to, said: `Delete ${from}-${to}` }
    default:
      // Of a range, what stands behind all of it.
      return { verb: 'insert', from: to + 1, to, said: `Insert after ${to}` }
  }
}

function toOrdered(edits: readonly NamedEdit[], lineCount: number): EditReply {
  for (const { from, to, said } of edits) {
    if (to > lineCount || from < 1 || from > to + 1 || (from > to && !said.startsWith('Insert'))) {
      const lines = said.startsWith('Insert') ? `0 to ${lineCount}` : `1 to ${lineCount}, the first before the last`
      return fault('edit_range', `\`${said}\` is not in the file: lines go from ${lines}`)
    }
  }
  const found = orderEdits(edits)
  if ('ordered' in found) return { kind: 'edits', edits: found.ordered }
  const [one, other] = found.overlap
  return fault('edit_overlap', `\`${one.said}\` and \`${other.said}\` name the same lines: make one edit of them`)
}
