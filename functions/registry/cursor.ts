import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'

/** The last id of a page, wrapped so that nobody builds on what is inside. Ids are ASCII. */
export function toCursor(kind: 'agents' | 'jobs', id: string): string {
  return btoa(`${kind}:${id}`).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Throws `invalid_input` for a text that `toCursor` did not make for this kind. */
export function fromCursor<const S extends v.GenericSchema<string, string>>(
  kind: 'agents' | 'jobs',
  schema: S,
  cursor: string,
): v.InferOutput<S> {
  let text: string
  try {
    text = atob(cursor.replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    text = ''
  }
  const id = v.safeParse(schema, text.slice(kind.length + 1))
  if (!text.startsWith(`${kind}:`) || !id.success || toCursor(kind, id.output) !== cursor) {
    throw new AppError('invalid_input', 'Cannot read cursor: no page returned it', {
      hint: 'Pass next_cursor of the page before, or leave it out',
    })
  }
  return id.output
}
