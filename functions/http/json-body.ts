import * as v from 'valibot'
import { AppError, invalidInput } from '#shared/errors.ts'
import { parseJson, readBody, unsupportedMedia } from './body.ts'

/** What comes from strangers is small: nothing that they may send is a hundredth of this. */
const BYTES_MAX = 64 * 1024

/**
 * A small JSON body by its schema. Rejects with `invalid_input` naming the fields that are wrong and no value, and with
 * `too_large`. Only `application/json` is read: a page of another site cannot send that without asking first.
 */
export async function readJson<const S extends v.GenericSchema>(
  request: Request,
  what: string,
  schema: S,
): Promise<v.InferOutput<S>> {
  const unsupported = unsupportedMedia(request.headers)
  if (unsupported !== undefined) throw new AppError('invalid_input', unsupported)
  const json = parseJson(await readBody(request, BYTES_MAX))
  if (!json.ok) throw new AppError('invalid_input', `Cannot read ${what}: not JSON in UTF-8, or nested too deeply`)
  const result = v.safeParse(schema, json.value)
  if (!result.success) throw invalidInput(what, result.issues)
  return result.output
}
