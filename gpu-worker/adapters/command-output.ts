import { stripVTControlCharacters } from 'node:util'
import { cutMiddle } from '../workspace/text.ts'

/** Shown of a command's output: about a thousand tokens, which a small model's context has room for beside the file. */
const HEAD_CHARACTERS_MAX = 1000
const TAIL_CHARACTERS_MAX = 2000
/** Kept while it runs; escape sequences and long paths go before anything is shown. */
const KEPT_BYTES_MAX = 32 * 1024

/** Kept whole to be compared with another output: what is cut out of both could be what differs. */
const COMPARED_BYTES_MAX = 1024 * 1024

export interface OutputTail {
  add(chunk: Buffer): void
  bytes(): number
  /** Plain text, cut in the middle where it is long. Every `hidden` text, such as an absolute folder, is taken out. */
  text(hidden: readonly string[]): string
  /** The same without the cut; null where it was more than a megabyte. */
  whole(hidden: readonly string[]): string | null
}

/** Keeps how an output began and how it ended, in bounded memory: a tool says first what it does, and last what is wrong. */
export function createOutputTail(): OutputTail {
  let head = Buffer.alloc(0)
  let tail = Buffer.alloc(0)
  let bytes = 0
  let chunks: Buffer[] = []
  return {
    add(chunk) {
      bytes += chunk.byteLength
      if (bytes <= COMPARED_BYTES_MAX) chunks.push(chunk)
      else chunks = []
      const room = KEPT_BYTES_MAX - head.byteLength
      if (room > 0) head = Buffer.concat([head, chunk.subarray(0, room)])
      const rest = room > 0 ? chunk.subarray(room) : chunk
      if (rest.byteLength === 0) return
      tail = Buffer.concat([tail, rest.subarray(-KEPT_BYTES_MAX)])
      if (tail.byteLength > KEPT_BYTES_MAX) tail = tail.subarray(-KEPT_BYTES_MAX)
    },
    bytes: () => bytes,
    whole: (hidden) => (bytes <= COMPARED_BYTES_MAX ? toPlain(Buffer.concat(chunks), hidden) : null),
    text(hidden) {
      const isWhole = bytes === head.byteLength + tail.byteLength
      if (isWhole)
        return cutMiddle(toPlain(Buffer.concat([head, tail]), hidden), HEAD_CHARACTERS_MAX, TAIL_CHARACTERS_MAX)
      const [first, last] = [toPlain(head, hidden), toPlain(tail, hidden)]
      return `${first.slice(0, HEAD_CHARACTERS_MAX)}\n[... cut ...]\n${last.slice(-TAIL_CHARACTERS_MAX)}`.toWellFormed()
    },
  }
}

function toPlain(bytes: Buffer, hidden: readonly string[]): string {
  let text = stripVTControlCharacters(bytes.toString('utf8'))
  for (const each of hidden) text = text.replaceAll(each, '')
  return (
    text
      .replaceAll('\r\n', '\n')
      // A progress bar writes its line again and again; what stands there last is what a person sees.
      .replaceAll(/^.*\r/gm, '')
      .replaceAll(/(?![\n\t])\p{Cc}/gu, '')
      .toWellFormed()
  )
}
