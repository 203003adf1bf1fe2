import { fileKind } from '../gates/file-kind.ts'
import { answerLines, envelopeTag } from './reply-noise.ts'
import { namesPath, unwrap } from './unwrap.ts'

/** What is wrong with a reply, or null where a file was found. */
export type ReplyFault = 'no_fence' | 'unclosed_fence' | 'several_files'

export type Reply =
  | { readonly kind: 'file'; readonly text: string; readonly prose: string }
  | { readonly kind: 'fault'; readonly fault: ReplyFault; readonly message: string }

const faults: Record<ReplyFault, string> = {
  no_fence: 'The answer holds no fenced code block: put the complete file between ``` and ```',
  unclosed_fence: 'The fenced code block is not closed: write the complete file and end it with ```',
  several_files: 'The answer holds several code blocks: answer with one block that holds the complete file',
}

interface Fence {
  readonly indent: string
  readonly mark: string
  readonly info: string
}

export interface Block {
  readonly start: number
  readonly end: number
  readonly info: string
  readonly indent: string
}

/**
 * Finds the file in a model's reply: the text in its one fenced block, with LF line ends and a newline at the end of each
 * line. Takes what models do around it: thinking and words before and after, a language or file name behind the fence,
 * fences within the text, further blocks in another language (a command to run), numbered lines, an envelope of tags,
 * marks of the chat template. Never guesses between two files. `test/fixtures/replies/` has a case for each.
 */
export function parseReply(reply: string, path: string): Reply {
  const lines = answerLines(reply, (some) => findBlocks(some) === 'unclosed')
  const blocks = findBlocks(lines)
  if (blocks === 'unclosed') return fault('unclosed_fence')
  const whole = fileKind(path).name === 'markdown' ? markdownSpan(lines, blocks) : null
  const candidates = whole === null ? distinct(blocks, lines) : [whole]
  const [first] = candidates
  if (first === undefined) return fault('no_fence')
  const chosen = candidates.length === 1 ? first : onlyOneFor(path, candidates)
  if (chosen === undefined) return fault('several_files')
  const content = unwrap(withoutIndent(lines.slice(chosen.start + 1, chosen.end), chosen.indent), path)
  const outside = whole === null ? blocks : [whole]
  return { kind: 'file', text: content.map((line) => `${line}\n`).join(''), prose: proseAround(lines, outside) }
}

const fault = (kind: ReplyFault): Reply => ({ kind: 'fault', fault: kind, message: faults[kind] })

function readFence(line: string): Fence | null {
  const found = /^([ \t]*)(`{3,}|~{3,})\s*([^`]*?)\s*$/.exec(line)
  if (found === null) return null
  const [, indent = '', mark = '', info = ''] = found
  return { indent, mark, info }
}

/**
 * Fenced blocks in order. As in CommonMark a fence ends at a bare one of the same kind that is at least as long; beyond
 * it, a fence with a name within a block opens an inner one, because models nest them without a longer outer fence.
 */
export function findBlocks(lines: readonly string[]): Block[] | 'unclosed' {
  const blocks: Block[] = []
  const open: Fence[] = []
  let start = 0
  for (const [index, line] of lines.entries()) {
    const found = readFence(line)
    const current = open.at(-1)
    if (found === null || (current !== undefined && isDeep(found, current))) continue
    if (current === undefined) start = index
    if (current === undefined || (found.info !== '' && found.mark[0] === current.mark[0] && fits(found, current))) {
      open.push(found)
    } else if (found.info === '' && closes(found, current)) {
      open.pop()
      if (open.length === 0) blocks.push({ start, end: index, ...infoOf(lines[start] ?? '') })
    }
  }
  return open.length === 0 ? blocks : 'unclosed'
}

function infoOf(line: string): { info: string; indent: string } {
  const { info = '', indent = '' } = readFence(line) ?? {}
  return { info, indent }
}

/** Four columns and more to the right of the fence that it stands in: a text's own, as in a docstring. */
const isDeep = (found: Fence, current: Fence): boolean => columns(found.indent) > columns(current.indent) + 3

const columns = (indent: string): number => indent.replaceAll('\t', '    ').length

/** A longer outer fence makes everything shorter inside it plain text. */
const fits = (inner: Fence, outer: Fence): boolean => inner.mark.length >= outer.mark.length

const closes = (found: Fence, current: Fence): boolean =>
  found.mark[0] === current.mark[0] &&
  found.mark.length >= current.mark.length &&
  columns(found.indent) <= columns(current.indent)

/**
 * A Markdown file holds bare fences of its own, which look like the end of the outer one. Where the reply is nothing but
 * one text from its first line to its last, named as Markdown, all of it is the file.
 */
function markdownSpan(lines: readonly string[], blocks: readonly Block[]): Block | null {
  if (blocks.length < 2) return null
  const first = lines.findIndex((line) => line.trim() !== '')
  const last = lines.findLastIndex((line) => line.trim() !== '')
  const opening = readFence(lines[first] ?? '')
  const closing = readFence(lines[last] ?? '')
  if (opening === null || closing === null || closing.info !== '') return null
  return /^(md|markdown)\b/i.test(opening.info)
    ? { start: first, end: last, info: opening.info, indent: opening.indent }
    : null
}

/** Blocks with a text of their own: a model that repeats itself has still written one file. */
function distinct(blocks: readonly Block[], lines: readonly string[]): Block[] {
  const seen = new Map<string, Block>()
  for (const block of blocks) {
    const text = lines
      .slice(block.start + 1, block.end)
      .join('\n')
      .trimEnd()
    if (!seen.has(text)) seen.set(text, block)
  }
  return [...seen.values()]
}

/** The one block whose name is the file's own or its language's, where the others say that they are something else. */
function onlyOneFor(path: string, blocks: readonly Block[]): Block | undefined {
  if (blocks.some(({ info }) => info === '')) return undefined
  const mine = blocks.filter(({ info }) => namesFile(info, path))
  return mine.length === 1 ? mine[0] : undefined
}

function namesFile(info: string, path: string): boolean {
  if (namesPath(info, path)) return true
  const word = (info.split(/[\s:{,]/, 1)[0] ?? '').toLowerCase()
  const kind = fileKind(path)
  return kind.name !== null && (word === kind.name || fileKind(`a.${word}`).name === kind.name)
}

/** Lines without the indentation of the fence that they stand in, where all of them have it. */
function withoutIndent(lines: string[], indent: string): string[] {
  const isIndented = lines.every((line) => line.trim() === '' || line.startsWith(indent))
  return indent !== '' && isIndented ? lines.map((line) => line.slice(indent.length)) : lines
}

function proseAround(lines: readonly string[], blocks: readonly Block[]): string {
  const outside = lines.filter(
    (line, index) => !envelopeTag.test(line) && !blocks.some(({ start, end }) => index >= start && index <= end),
  )
  return outside.join('\n').trim()
}
