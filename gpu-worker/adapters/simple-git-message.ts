import { AppError } from '#shared/errors.ts'
import { COMMIT_MESSAGE_CHARACTERS_MAX } from '#shared/protocol/limits.ts'
import type { CommitRequest, Trailer } from '../ports/repository.ts'

const ACTION = 'Cannot commit'
const token = /^[A-Za-z][A-Za-z0-9-]*$/u
/** A line that git takes for a trailer. */
const trailerLine = /^[A-Za-z][A-Za-z0-9-]*: *\S.*$/u
/** With which nobody but this server may put a line beside its own. */
const ours = /^millwright-/iu

// Half of a pair has no UTF-8. Overrides and isolates change the order of what a reader sees behind them; the marks for
// a single place (U+061C, U+200E, U+200F) belong to text in Arabic and Hebrew.
const notText = /[\p{Cs}\u202A-\u202E\u2066-\u2069]|(?![\n\t])\p{Cc}/u

/**
 * The bytes of a commit's message: what the caller wrote, to the byte, a line feed where it ends without one, and the
 * trailers. These follow trailers of the caller's own directly, so that git reads all of them, and otherwise stand in a
 * paragraph of their own. Throws `invalid_input` for what is empty, too long, or no text.
 */
export function composeMessage({ message, trailers }: Pick<CommitRequest, 'message' | 'trailers'>): string {
  if (message.trim() === '')
    throw new AppError('invalid_input', `${ACTION}: the message is empty`, { hint: 'Say what the commit changes' })
  if (message.length > COMMIT_MESSAGE_CHARACTERS_MAX) {
    throw new AppError(
      'invalid_input',
      `${ACTION}: message of ${message.length} characters, limit ${COMMIT_MESSAGE_CHARACTERS_MAX}`,
      { hint: 'Shorten it' },
    )
  }
  if (notText.test(message.replaceAll('\r\n', '\n'))) {
    throw new AppError('invalid_input', `${ACTION}: the message has control or direction-changing characters`, {
      hint: 'Use plain text; line ends and tabs are fine',
    })
  }
  const lines = trailers.map(toLine)
  const ended = message.endsWith('\n') ? message : `${message}\n`
  if (lines.length === 0) return ended
  return `${ended}${isOpen(ended) ? '' : '\n'}${lines.join('\n')}\n`
}

/** The first line that is not blank, for the log of the branch. */
export const subjectOf = (message: string): string =>
  message
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '') ?? ''

function toLine({ token: name, value }: Trailer): string {
  if (!token.test(name) || value.trim() === '' || /\p{Cc}|\p{Bidi_Control}|\p{Cs}/u.test(value)) {
    throw new AppError('invalid_input', `${ACTION}: a trailer is not one plain line`)
  }
  return `${name}: ${value}`
}

/** Whether a trailer may come right behind: after a blank line, or after the caller's own trailers. */
function isOpen(ended: string): boolean {
  if (/\n[ \t]*\r?\n$/u.test(ended)) return true
  const [, ...paragraphs] = ended.trimEnd().split(/\n(?:[ \t]*\r?\n)+/u)
  const last = paragraphs.at(-1)
  return last?.split('\n').every((line) => trailerLine.test(line) && !ours.test(line)) === true
}
