/** A piece of a message: text, text in backticks, or a block of code in a fence. */
export interface MessagePart {
  readonly kind: 'text' | 'code' | 'block'
  readonly text: string
}

const FENCE = /^(`{3,}|~{3,})[^\n]*\n([\s\S]*?)(?:\n\1[`~]*[ \t]*$|(?![\s\S]))/gm
const CODE = /`([^`\n]+)`/g

/**
 * What a message shows beside its text: code. Nothing else of Markdown is known, and HTML, links and pictures are the
 * characters that they are written with: who writes messages is a model.
 */
export function toMessageParts(message: string): MessagePart[] {
  return split(message, FENCE, 'block', 2).flatMap((part) =>
    part.kind === 'text' ? split(part.text, CODE, 'code', 1) : [part],
  )
}

function split(text: string, pattern: RegExp, kind: 'code' | 'block', group: number): MessagePart[] {
  const parts: MessagePart[] = []
  let at = 0
  for (const match of text.matchAll(pattern)) {
    if (match.index > at) parts.push({ kind: 'text', text: text.slice(at, match.index) })
    parts.push({ kind, text: match[group] ?? '' })
    at = match.index + match[0].length
  }
  if (at < text.length) parts.push({ kind: 'text', text: text.slice(at) })
  return parts.filter((part) => part.text !== '')
}
