import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'

export interface Edit {
  readonly search: string
  readonly replace: string
  readonly all?: boolean | undefined
}

/**
 * Replaces exact text, edit after edit. Each `search` must occur once where `all` is not set, at least once where it
 * is; otherwise `invalid_input` names the edit and the number of places, and nothing is changed. In a file with CRLF
 * line ends a search that was written with LF is matched as if it had been written with CRLF. `too_large` as soon as a
 * text between two edits is longer than any file: with `all`, a few edits make gigabytes of a few bytes.
 */
export function applyEdits(path: string, text: string, edits: readonly Edit[]): string {
  let result = text
  for (const [index, edit] of edits.entries()) {
    const { search, replace } = inLineEndsOf(result, edit)
    const places = countPlaces(result, search)
    if (places === 0 || (places > 1 && edit.all !== true)) {
      throw new AppError(
        'invalid_input',
        `Cannot edit "${path}": the search of edit ${index + 1} of ${edits.length} occurs ${places} times, expected ${edit.all === true ? 'at least 1' : '1'}`,
        {
          hint:
            places === 0
              ? 'Copy the text to search from the file exactly, white space included'
              : 'Add lines around it until it is unique, or set all',
        },
      )
    }
    const length = result.length + places * (replace.length - search.length)
    if (length > FILE_BYTES_MAX) {
      throw new AppError(
        'too_large',
        `Cannot edit "${path}": edit ${index + 1} of ${edits.length} makes ${length} characters of it, limit ${FILE_BYTES_MAX}`,
      )
    }
    result = result.replaceAll(search, () => replace)
  }
  return result
}

function inLineEndsOf(text: string, edit: Edit): { search: string; replace: string } {
  if (text.includes(edit.search) || !text.includes('\r\n') || edit.search.includes('\r')) return edit
  return { search: edit.search.replaceAll('\n', '\r\n'), replace: edit.replace.replaceAll(/\r?\n/g, '\r\n') }
}

function countPlaces(text: string, search: string): number {
  let count = 0
  for (let at = text.indexOf(search); at !== -1; at = text.indexOf(search, at + search.length)) count++
  return count
}
