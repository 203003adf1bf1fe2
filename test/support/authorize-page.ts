import type { KeyObject } from 'node:crypto'
import * as v from 'valibot'
import { signText } from '../../web/src/keys/key-proof.ts'
import { importPrivateKey } from '../../web/src/keys/private-key.ts'

/** What the authorize page does, with the page's own code for the key, by one function that sends. */
export type Post = (step: string, body: Record<string, unknown>) => Promise<Response>

const Begun = v.looseObject({
  handle: v.string(),
  scopes: v.array(v.string()),
  client: v.record(v.string(), v.unknown()),
})
const Proven = v.looseObject({ ticket: v.string(), workspaces: v.array(v.looseObject({ workspace: v.string() })) })
const Redirect = v.object({ redirect_to: v.string() })

const jsonOf = async (response: Response): Promise<unknown> => {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return response.json()
}

export const begin = async (post: Post, query: string) => v.parse(Begun, await jsonOf(await post('begin', { query })))

export async function signFor(post: Post, handle: string, privateKey: KeyObject): Promise<Record<string, unknown>> {
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const { signing, fingerprint } = await importPrivateKey(pem)
  const answer = await jsonOf(await post('challenge', { handle, key: fingerprint }))
  const { challenge } = v.parse(v.object({ challenge: v.string() }), answer)
  return { handle, challenge, signature: await signText(signing, challenge), algorithm: 'RSA-PSS' }
}

export const prove = async (post: Post, handle: string, privateKey: KeyObject) =>
  v.parse(Proven, await jsonOf(await post('prove', await signFor(post, handle, privateKey))))

/** All steps of somebody who says yes. Answers where the browser is sent. */
export async function allow(
  post: Post,
  query: string,
  privateKey: KeyObject,
  wish: { scopes?: readonly string[]; workspace?: string } = {},
): Promise<URL> {
  const { handle, scopes } = await begin(post, query)
  const { ticket, workspaces } = await prove(post, handle, privateKey)
  const workspace = wish.workspace ?? workspaces[0]?.workspace
  const decision = { allow: true, handle, ticket, workspace, scopes: wish.scopes ?? scopes }
  return new URL(v.parse(Redirect, await jsonOf(await post('decide', decision))).redirect_to)
}

export async function deny(post: Post, query: string): Promise<URL> {
  const { handle } = await begin(post, query)
  return new URL(v.parse(Redirect, await jsonOf(await post('decide', { allow: false, handle }))).redirect_to)
}
