import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { LostContent } from '#shared/schemas/lost-content.ts'
import type { AskPerson } from './call-context.ts'

type Fields = Record<string, unknown>

/** The tools that a person is asked about, where the client can ask one. */
export const confirmedTools: readonly string[] = ['delete_agent', 'delete_file', 'write_file', 'agent_update_file']

/** A `no` leaves everything as it is. */
export const declined = (what: string): AppError =>
  new AppError('cancelled', `${what}: the person who was asked did not agree`, { hint: 'Nothing was changed' })

/**
 * A call of the worker that may overwrite or delete. Where the client can be asked, a person decides, whatever `confirm` says: the
 * worker refuses first, saying what would be lost, and what is done after a yes is done to exactly that version. `delete_file`
 * asks even one who names the version.
 */
export async function callConfirmed(
  tool: string,
  args: Fields,
  ask: AskPerson | undefined,
  call: (args: Fields) => Promise<Fields>,
): Promise<Fields> {
  if (ask === undefined || !confirmedTools.includes(tool)) return call(args)
  const { confirm: _confirm, ...unconfirmed } = args
  const { expected_sha256: expected, ...blind } = unconfirmed
  const isDeletion = tool === 'delete_file'
  try {
    return await call(isDeletion ? blind : unconfirmed)
  } catch (error) {
    const lost = error instanceof AppError && error.code === 'confirmation_required' ? error.details : undefined
    if (lost === undefined) throw error
    const { path, sha256, line_count } = v.parse(LostContent, lost)
    // Another version than the caller knows: the worker says so, and nobody need be asked.
    if (expected !== undefined && expected !== sha256) return call(unconfirmed)
    const action = isDeletion ? 'Delete' : 'Overwrite'
    const message = `${action} "${path}" (${line_count} lines)? The old bytes stay in git's object store.`
    const key = `${tool}_${sha256.slice(0, 16)}`
    if (!(await ask({ key, message }))) throw declined(`Cannot ${action.toLowerCase()} "${path}"`)
    return call({ ...unconfirmed, confirm: true, expected_sha256: sha256 })
  }
}
