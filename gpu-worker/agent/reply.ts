import { fileKind } from '../gates/file-kind.ts'

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
  readonly indent: number
  readonly mark: string
  readonly info: string
}

interface Block {
  readonly start: number
  readonly end: number
  readonly info: string
}

/**
 * Finds the file in a model's reply: the text in its one fenced block, with LF line ends and a newline at the end of each
 * line. Takes what models do around it: words before and after, a language or file name behind the fence, fences within
 * the text, further blocks in another language (a command to run), numbered lines. Never guesses between two files.
 */
export function parseReply(reply: string, path: string): Reply {
  const lines = reply.replaceAll('\r\n', '\n').split('\n')
  const blocks = findBlocks(lines)
  if (blocks === 'unclosed') return fault('unclosed_fence')
  const whole = fileKind(path).name === 'markdown' ? markdownSpan(lines, blocks) : null
  const candidates = whole === null ? distinct(blocks, lines) : [whole]
  const [first] = candidates
  if (first === undefined) return fault('no_fence')
  const chosen = candidates.length === 1 ? first : onlyOneFor(path, candidates)
  if (chosen === undefined) return fault('several_files')
  const content = withoutGutter(lines.slice(chosen.start + 1, chosen.end), path)
  const outside = whole === null ? blocks : [whole]
  return { kind: 'file', text: content.map((line) => `${line}\n`).join(''), prose: proseAround(lines, outside) }
}

const fault = (kind: ReplyFault): Reply => ({ kind: 'fault', fault: kind, message: faults[kind] })

function readFence(line: string): Fence | null {
  const found = /^( {0,3})(`{3,}|~{3,})\s*([^`]*?)\s*$/.exec(line)
  if (found === null) return null
  const [, indent = '', mark = '', info = ''] = found
  return { indent: indent.length, mark, info }
}

/**
 * Fenced blocks in order. As in CommonMark a fence ends at a bare one of the same kind that is at least as long; beyond
 * it, a fence with a name within a block opens an inner one, because models nest them without a longer outer fence.
 */
function findBlocks(lines: readonly string[]): Block[] | 'unclosed' {
  const blocks: Block[] = []
  const open: Fence[] = []
  let start = 0
  for (const [index, line] of lines.entries()) {
    const found = readFence(line)
    const current = open.at(-1)
    if (found === null) continue
    if (current === undefined) start = index
    if (current === undefined || (found.info !== '' && found.mark[0] === current.mark[0] && fits(found, current))) {
      open.push(found)
    } else if (found.info === '' && closes(found, current)) {
      open.pop()
      if (open.length === 0) blocks.push({ start, end: index, info: readFence(lines[start] ?? '')?.info ?? '' })
    }
  }
  return open.length === 0 ? blocks : 'unclosed'
}

/** A longer outer fence makes everything shorter inside it plain text. */
const fits = (inner: Fence, outer: Fence): boolean => inner.mark.length >= outer.mark.length

const closes = (found: Fence, current: Fence): boolean =>
  found.mark[0] === current.mark[0] && found.mark.length >= current.mark.length && found.indent <= current.indent

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
  return /^(md|markdown)\b/i.test(opening.info) ? { start: first, end: last, info: opening.info } : null
}

/** Blocks with a text of their own: a model that repeats itself has still written one file. */
function distinct(blocks: readonly Block[], lines: readonly string[]): Block[] {
  const seen = new Map<string, Block>()
  for (const block of blocks) {
    const text = lines.slice(block.start + 1, block.end).join('\n')
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
  if (info.includes(path)) return true
  const word = (info.split(/[\s:{,]/, 1)[0] ?? '').toLowerCase()
  const kind = fileKind(path)
  return kind.name !== null && (word === kind.name || fileKind(`a.${word}`).name === kind.name)
}

/** Takes away line numbers, where every line of code has the next one in front. */
function withoutGutter(lines: string[], path: string): string[] {
  const gutter = /^ *(\d+)(?: *[|:] ?|\t)/
  const isNumbered = lines.length >= 2 && lines.every((line, index) => Number(gutter.exec(line)?.[1]) === index + 1)
  return isNumbered && fileKind(path).isCode ? lines.map((line) => line.replace(gutter, '')) : lines
}

function proseAround(lines: readonly string[], blocks: readonly Block[]): string {
  const outside = lines.filter((_, index) => !blocks.some(({ start, end }) => index >= start && index <= end))
  return outside.join('\n').trim()
}
