import { AppError } from '#shared/errors.ts'
import { PATH_BYTES_MAX, PATH_SEGMENT_BYTES_MAX } from '#shared/protocol/limits.ts'

declare const repositoryPath: unique symbol

/**
 * A path of a file in the repository: relative, in normal form (NFC, `/` between segments, no `.`, `..` or empty
 * segment), without control characters. Says nothing about what is there; see FileTree.
 */
export type RepositoryPath = string & { readonly [repositoryPath]: true }

// Characters that a reader cannot see, that change the order of others, or that file systems drop when they compare.
const unseen =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Bidi_Control}\uFFFD]/u
const windowsDevice = /^(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³])(\.|$)/iu
const bytesOf = (text: string): number => Buffer.byteLength(text, 'utf8')

/**
 * Brings a path into normal form by its text alone. Throws `outside_repository` for text that leads out (absolute,
 * `..`, a drive, a URL) and `invalid_input` for what is no usable name on every system a repository may be cloned to.
 * `./`, doubled and trailing slashes are dropped; percent signs and dollar signs are plain characters, but what some
 * other program would decode to a dot, a slash or NUL is refused.
 */
export function parseRepositoryPath(text: string): RepositoryPath {
  if (text === '') throw invalid(text, 'empty', 'Give a path relative to the root of the repository')
  if (text.length > PATH_BYTES_MAX || bytesOf(text) > PATH_BYTES_MAX) {
    throw invalid(text, `${bytesOf(text)} bytes, limit ${PATH_BYTES_MAX}`)
  }
  if (!text.isWellFormed()) throw invalid(text, 'not valid Unicode')
  if (unseen.test(text)) throw invalid(text, 'control, invisible or direction-changing character')
  refuseOutside(text)
  if (/[\\:*?"<>|]/u.test(text)) {
    throw invalid(
      text,
      'one of \\ : * ? " < > |',
      'Use / between folders, and one plain name: patterns are not expanded',
    )
  }
  if (/%(00|25|2e|2f|5c)/iu.test(text)) {
    throw invalid(
      text,
      'a percent-encoded dot, slash, percent sign or NUL',
      'Write the path itself; it is never decoded',
    )
  }
  const segments = text
    .normalize('NFC')
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
  if (segments.length === 0) throw invalid(text, 'names the repository itself, not a file in it')
  for (const segment of segments) refuseSegment(text, segment)
  if (/^[-~]/u.test(segments[0] ?? '')) throw invalid(text, `starts with ${JSON.stringify(segments[0]?.at(0))}`)
  return segments.join('/') as RepositoryPath
}

/** Path text made safe to show: unseen characters as escapes, cut after 200 characters. */
export function showPath(text: string): string {
  const cut = text.length > 200 ? `${text.slice(0, 200)}…` : text
  const escaped = Array.from(cut, (character) =>
    unseen.test(character) || !character.isWellFormed()
      ? `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`
      : character,
  )
  return `"${escaped.join('')}"`
}

function refuseOutside(text: string): void {
  const reason = /^[/\\]/u.test(text)
    ? 'absolute path'
    : /^[a-z][a-z0-9+.-]*:[/\\]/iu.test(text)
      ? 'drive or URL'
      : text.split(/[/\\]/u).includes('..')
        ? '".." in it'
        : null
  if (reason !== null) {
    // An absolute path is not repeated: an answer never carries one, not even the caller's own.
    const shown = reason === '".." in it' ? showPath(text) : 'this path'
    throw new AppError('outside_repository', `Cannot use ${shown}: ${reason}`, {
      hint: 'Give a path relative to the root of the repository, without ".."',
    })
  }
}

function refuseSegment(text: string, segment: string): void {
  if (bytesOf(segment) > PATH_SEGMENT_BYTES_MAX) {
    throw invalid(text, `a name of ${bytesOf(segment)} bytes, limit ${PATH_SEGMENT_BYTES_MAX}`)
  }
  if (/^\s|[\s.]$/u.test(segment)) throw invalid(text, 'a name that starts with a space or ends with a space or dot')
  if (windowsDevice.test(segment)) throw invalid(text, 'a device name of Windows')
}

function invalid(text: string, reason: string, hint = 'Correct the path and call again'): AppError {
  return new AppError('invalid_input', `Cannot use path ${showPath(text)}: ${reason}`, { hint })
}
