// The page on which a person lets a program in: shows who asks, proves a key, and sends the decision. All texts of the
// program's are set as text. What the page knows it holds in memory; only a key that the person wants kept is stored, in a
// form that can sign and cannot be read.

import '../styles/tokens.css'
import './page.css'
import './authorize.css'
import { forgetKey, keepKey, keptKey } from '../keys/kept-key.ts'
import { KeyFileError } from '../keys/key-file-error.ts'
import { signText } from '../keys/key-proof.ts'
import { importPrivateKey } from '../keys/private-key.ts'

/** @param {string} id */
const byId = (id) => {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`The page has no element "${id}"`)
  return element
}

/** @typedef {{ workspace: string, role: string, scopes: string[] }} Workspace */

/** What the server has said of this request. */
const state = {
  handle: '',
  ticket: '',
  /** @type {string[]} */
  scopes: [],
  /** @type {Workspace[]} */
  workspaces: [],
}

/** In the words of a person; the server's own for the rest. */
const reasons = new Map([
  ['key_not_accepted', 'This key is not registered here. Whoever runs the server adds it with: npm run keys -- add'],
  ['challenge_expired', 'That took too long. Choose the key again'],
  ['challenge_used', 'This was sent before. Choose the key again'],
  ['session_over', 'This request is over. Start again from the program that wants to connect'],
  ['no_workspace', 'You are not a member of that workspace'],
  ['clock', "The server's clock has changed. Choose the key again"],
])

/**
 * @param {string} text
 * @param {'ok' | 'failing'} [kind]
 */
function say(text, kind = 'ok') {
  const message = byId('message')
  message.dataset.state = kind
  message.textContent = text
}

/**
 * @param {string} step
 * @param {Record<string, unknown>} body
 */
async function post(step, body) {
  const response = await fetch(`/oauth/authorize/${step}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = await response.json()
  if (!response.ok) {
    const { message, details } = answer.error
    throw new Error(reasons.get(details?.reason) ?? message)
  }
  return answer
}

/**
 * Does the work, and says what went wrong.
 * @param {() => Promise<void>} work
 */
async function attempt(work) {
  try {
    await work()
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), 'failing')
  }
}

async function begin() {
  const begun = await post('begin', { query: location.search.slice(1) })
  const { client } = begun
  state.handle = begun.handle
  state.scopes = begun.scopes
  byId('client-name').textContent = client.clientName
  byId('client-domain').textContent =
    client.clientDomain === undefined
      ? 'Nobody has checked this name: the program has given it itself.'
      : `Yes, as far as it is the program of ${client.clientDomain}.`
  byId('redirect-host').textContent = client.redirectHost
  byId('loopback').hidden = !client.redirectIsLoopback
  byId('kept').hidden = (await keptKey()) === undefined
  for (const id of ['request', 'sign-in', 'refusal']) byId(id).hidden = false
  say('Read who asks, then show your key.')
}

/**
 * @param {CryptoKey} key
 * @param {string} fingerprint
 */
async function prove(key, fingerprint) {
  say('Signing…')
  const { challenge } = await post('challenge', { handle: state.handle, key: fingerprint })
  const signature = await signText(key, challenge)
  const proven = await post('prove', { handle: state.handle, challenge, signature, algorithm: 'RSA-PSS' })
  if (proven.workspaces.length === 0) throw new Error('You are not a member of any workspace')
  state.ticket = proven.ticket
  state.workspaces = proven.workspaces
  byId('user-name').textContent = proven.user.name
  const select = /** @type {HTMLSelectElement} */ (byId('workspace'))
  select.replaceChildren(
    ...state.workspaces.map(({ workspace, role }) => new Option(`${workspace} (${role})`, workspace)),
  )
  showScopes()
  byId('sign-in').hidden = true
  byId('consent').hidden = false
  say(`You are ${proven.user.name}. Nothing is allowed yet.`)
  byId('allow').focus()
}

const boxes = () => /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[name="scope"]'))
const chosenWorkspace = () => /** @type {HTMLSelectElement} */ (byId('workspace')).value

/** What the program asked for is ticked, as far as the person may do it in this workspace. */
function showScopes() {
  const allowed = state.workspaces.find(({ workspace }) => workspace === chosenWorkspace())?.scopes ?? []
  for (const box of boxes()) {
    box.disabled = !allowed.includes(box.value)
    box.checked = !box.disabled && state.scopes.includes(box.value)
  }
}

/** @param {{ redirect_to: string }} answer */
function leave({ redirect_to }) {
  for (const id of ['request', 'sign-in', 'consent', 'refusal']) byId(id).hidden = true
  say('Done. You can close this page if it stays.')
  location.assign(redirect_to)
}

byId('key').addEventListener('change', () =>
  attempt(async () => {
    const input = /** @type {HTMLInputElement} */ (byId('key'))
    const file = input.files?.[0]
    if (file === undefined) return
    if (file.size > 32_768) throw new KeyFileError('This file is too large for a key')
    const { signing, fingerprint } = await importPrivateKey(await file.text())
    input.value = ''
    await prove(signing, fingerprint)
    if (/** @type {HTMLInputElement} */ (byId('remember')).checked) await keepKey({ key: signing, fingerprint })
  }),
)

byId('use-kept').addEventListener('click', () =>
  attempt(async () => {
    const kept = await keptKey()
    if (kept !== undefined) await prove(kept.key, kept.fingerprint)
  }),
)

byId('forget').addEventListener('click', () =>
  attempt(async () => {
    await forgetKey()
    byId('kept').hidden = true
    say('The key is no longer in this browser.')
  }),
)

byId('workspace').addEventListener('change', showScopes)

byId('allow').addEventListener('click', () =>
  attempt(async () => {
    const scopes = [...boxes()].filter((box) => box.checked).map((box) => box.value)
    if (scopes.length === 0) throw new Error('Tick what it may do, or deny')
    const { handle, ticket } = state
    leave(await post('decide', { allow: true, handle, ticket, workspace: chosenWorkspace(), scopes }))
  }),
)

byId('deny').addEventListener('click', () =>
  attempt(async () => leave(await post('decide', { allow: false, handle: state.handle }))),
)

if (globalThis.crypto?.subtle === undefined) {
  say('This page needs HTTPS, or an address of this computer, to sign with your key', 'failing')
} else {
  await attempt(begin)
}
