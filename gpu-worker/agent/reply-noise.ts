/** What chat templates put between turns. A model that runs past its turn writes them as text. */
const MARK =
  '(?:<\\|(?:im_start|im_end|im_sep|endoftext|end_of_text|begin_of_text|eot_id|end|assistant|user|system|start_header_id|end_header_id)\\|>|</s>|<end_of_turn>|<eos>|\\[/INST\\])'

const startsWithMark = new RegExp(`^\\s*${MARK}`)
const endsWithMark = new RegExp(`${MARK}\\s*$`)
const leadingMarks = new RegExp(`^(?:\\s*${MARK}[ \\t]*(?:assistant)?[ \\t]*\\n?)+`)
const fenceThenMark = new RegExp(`^([ \\t]*(?:\`{3,}|~{3,}))[ \\t]*${MARK}`)
const fenceThenTag = /^([ \t]*(?:`{3,}|~{3,}))[ \t]*<\/[\w:-]+>[ \t]*$/

const thinkingBegins = /^\s*<(?:think|thinking|thought|reasoning)>/i
const thinkingEnds = /<\/(?:think|thinking|thought|reasoning)>/i
const thinkingEndsLine = /<\/(?:think|thinking|thought|reasoning)>[ \t]*(?=\n|$)/i

/** A line that is nothing but the tag of an envelope which some models put around a file: `<file path="a.py">`. */
export const envelopeTag = /^\s*<(\/?)(file|code|content|answer|source|document)\b[^<>]*>\s*$/i

/** The template's mark at the end of a text, or null. */
export const trailingMark = (text: string): string | null => endsWithMark.exec(text.trimEnd())?.[0].trim() ?? null

/**
 * The lines of a reply, with LF ends, without what is no part of the answer: thinking in front of it, marks of the chat
 * template and what comes after them, invisible characters around fences. `isOpen` tells whether lines end within a block.
 */
export function answerLines(reply: string, isOpen: (lines: readonly string[]) => boolean): string[] {
  const text = reply
    .replace(/\r\n?/g, '\n')
    .replace(/^[\uFEFF\u200B\u2060]+/, '')
    .replace(leadingMarks, '')
  return untilMark(withoutThinking(text, isOpen).split('\n').map(plainFence), isOpen)
}

function withoutThinking(text: string, isOpen: (lines: readonly string[]) => boolean): string {
  if (thinkingBegins.test(text)) {
    const end = thinkingEnds.exec(text)
    return end === null ? '' : text.slice(end.index + end[0].length)
  }
  // Some templates open the thinking themselves. Within a block the tag is the file's own.
  const end = thinkingEndsLine.exec(text)
  if (end === null || isOpen(text.slice(0, end.index).split('\n'))) return text
  return text.slice(end.index + end[0].length)
}

function plainFence(line: string): string {
  if (!/`{3}|~{3}/.test(line)) return line
  return line
    .replace(/[\uFEFF\u200B\u2060]/g, '')
    .replaceAll('\u00A0', ' ')
    .replace(fenceThenTag, '$1')
}

/** Cuts at the mark that ends the model's turn: behind a closing fence, or at the start of a line outside all blocks. */
function untilMark(lines: string[], isOpen: (lines: readonly string[]) => boolean): string[] {
  const behindFence = lines.findIndex((line) => fenceThenMark.test(line))
  if (behindFence >= 0) {
    return [
      ...lines.slice(0, behindFence),
      (lines[behindFence] ?? '').replace(new RegExp(`${fenceThenMark.source}.*`), '$1'),
    ]
  }
  const first = lines.findIndex((line, index) => startsWithMark.test(line) && !isOpen(lines.slice(0, index)))
  return first < 0 ? lines : lines.slice(0, first)
}
