import type { KeyObject } from 'node:crypto'
import * as v from 'valibot'
import { type SignedIn, signText } from './sign-in-world.ts'

/** A request to an edge by its path. */
export type Send = (
  path: string,
  init: { method: string; headers: Record<string, string>; body?: string },
) => Promise<Response>

export interface KeyHolder {
  readonly fingerprint: string
  readonly privateKey: KeyObject
}

const json = { 'content-type': 'application/json' }

export const postJson = (send: Send, path: string, body: unknown, headers: Record<string, string> = {}) =>
  send(path, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) })

export async function askChallenge(send: Send, key: string): Promise<string> {
  const response = await postJson(send, '/auth/challenge', { key })
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return v.parse(v.object({ challenge: v.string() }), await response.json()).challenge
}

/** The answer to a signed challenge, whatever it is. */
export const answerChallenge = (
  send: Send,
  challenge: string,
  privateKey: KeyObject,
  extra: Record<string, unknown> = {},
): Promise<Response> =>
  postJson(send, '/auth/session', {
    challenge,
    signature: signText(challenge, privateKey),
    algorithm: 'RSA-PSS',
    ...extra,
  })

const Session = v.looseObject({
  session_id: v.string(),
  access_token: v.string(),
  refresh_token: v.string(),
  workspace: v.string(),
  scopes: v.array(v.string()),
})

/** A session for who holds a key, over HTTP. Rejects with what the edge said where it gives none. */
export async function signInOverHttp(
  send: Send,
  { fingerprint, privateKey }: KeyHolder,
  extra: Record<string, unknown> = {},
): Promise<SignedIn> {
  const response = await answerChallenge(send, await askChallenge(send, fingerprint), privateKey, extra)
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return v.parse(Session, await response.json())
}
