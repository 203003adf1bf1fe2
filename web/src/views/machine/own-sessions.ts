import * as v from 'valibot'
import { askServer, type Fetch } from '../../api/server-json.ts'

const OwnSession = v.object({
  session_id: v.string(),
  /** `page` or that of a program that was let in. */
  kind: v.string(),
  label: v.string(),
  scopes: v.array(v.string()),
  created_at: v.string(),
  ends_at: v.string(),
  current: v.boolean(),
})
export type OwnSession = v.InferOutput<typeof OwnSession>

const Answer = v.object({ sessions: v.array(OwnSession) })

const ownFetch: Fetch = (path, init) => window.fetch(path, init)

/** The sessions of the person whose token this is, this one among them. Rejects with AppError. */
export const listSessions = async (token: string): Promise<readonly OwnSession[]> =>
  (await askServer(ownFetch, '/auth/sessions', Answer, { token })).sessions

/** Rejects with AppError: `not_found` where the person has none of that id. */
export async function endSession(token: string, sessionId: string): Promise<void> {
  await askServer(ownFetch, `/auth/sessions/${encodeURIComponent(sessionId)}`, v.null(), { method: 'DELETE', token })
}
