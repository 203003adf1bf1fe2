import { AppError } from '#shared/errors.ts'
import { ANSWER_BYTES_MAX } from '#shared/protocol/limits.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of a file. Throws `invalid_input` for bytes that are not UTF-8 text; a byte-order mark is kept. */
export function decodeText(path: string, bytes: Uint8Array): string {
  if (bytes.includes(0)) {
    throw new AppError('invalid_input', `Cannot read "${path}" as text: it holds NUL bytes, so it is a binary file`)
  }
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new AppError('invalid_input', `Cannot read "${path}" as text: it is not UTF-8`, { cause })
  }
}

/**
 * The bytes of a text. Throws `invalid_input` for half a surrogate pair, which UTF-8 cannot carry and which an encoder
 * would silently replace, and `too_large` above the limit.
 */
export function encodeText(path: string, text: string, bytesMax: number): Uint8Array {
  if (!text.isWellFormed()) {
    throw new AppError('invalid_input', `Cannot write "${path}": the text holds half a surrogate pair`)
  }
  const bytes = new TextEncoder().encode(text)
  if (bytes.byteLength > bytesMax) {
    throw new AppError('too_large', `Cannot write "${path}": ${bytes.byteLength} bytes, limit ${bytesMax}`)
  }
  return bytes
}

/** A text with its first and last characters, and a note of what was between them. */
export function cutMiddle(text: string, headMax: number, tailMax: number): string {
  const over = text.length - headMax - tailMax
  if (over <= 0) return text
  return `${text.slice(0, headMax)}\n[... ${over} characters cut ...]\n${text.slice(-tailMax)}`.toWellFormed()
}

/** Newline characters, as POSIX `wc -l` counts lines. */
export function countLines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}

export interface TextPage {
  readonly content: string
  /** The offset of the next page, or null at the end. */
  readonly nextOffset: number | null
}

/** Whole lines from `offset`, at most `limit` of them and about ANSWER_BYTES_MAX characters, but always one. */
export function pageLines(text: string, offset: number, limit: number): TextPage {
  let start = 0
  for (let skipped = 0; skipped < offset; skipped++) {
    const newline = text.indexOf('\n', start)
    if (newline === -1) return { content: '', nextOffset: null }
    start = newline + 1
  }
  let end = start
  let taken = 0
  while (taken < limit && end < text.length) {
    const newline = text.indexOf('\n', end)
    const lineEnd = newline === -1 ? text.length : newline + 1
    if (taken > 0 && lineEnd - start > ANSWER_BYTES_MAX) break
    end = lineEnd
    taken++
  }
  return { content: text.slice(start, end), nextOffset: end < text.length ? offset + taken : null }
}
