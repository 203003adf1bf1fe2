import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { parsePublicKeyFile } from '#shared/key-file.ts'
import type { SignatureAlgorithm } from '#shared/sign-in.ts'
import { createSqlAccounts } from '../accounts/sql-accounts.ts'
import { openSqlite, type SqliteFile } from '../adapters/node/sqlite.ts'
import { toBase64Url } from '../crypto.ts'
import type { Accounts } from '../ports/accounts.ts'
import { type Challenges, createChallenges } from './challenge.ts'
import { proveKey, type SignedChallenge } from './key-proof.ts'
import { parsePublicKey } from './rsa-key.ts'
import { openSession, refreshSession } from './sessions.ts'

const ORIGIN = 'https://mill.example'
const workspace = toWorkspaceId('here')
const MINUTE = 60_000

let folder: string
let sqlite: SqliteFile
let accounts: Accounts
let challenges: Challenges
const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs }

interface Person {
  privateKey: KeyObject
  fingerprint: string
}
let anna: Person
let bert: Person
let stranger: Person

async function person(name: string | null): Promise<Person> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { fingerprint, spki } = await parsePublicKey(
    parsePublicKeyFile(publicKey.export({ type: 'spki', format: 'pem' }).toString()),
  )
  if (name !== null) {
    const { user_id } = await accounts.ensureUser(name)
    await accounts.addKey({ fingerprint, spki: toBase64Url(spki), user_id, label: 'laptop' })
    await accounts.setRole(user_id, workspace, 'writer')
  }
  return { privateKey, fingerprint }
}

function signText(text: string, { privateKey }: Person, algorithm: SignatureAlgorithm = 'RSA-PSS'): string {
  const padding =
    algorithm === 'RS256'
      ? { padding: constants.RSA_PKCS1_PADDING }
      : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  return toBase64Url(sign('sha256', Buffer.from(text), { key: privateKey, ...padding }))
}

const ask = (fingerprint: string, origin = ORIGIN) =>
  challenges.create({ origin, purpose: 'session', fingerprint, about: '' })

const prove = (signed: SignedChallenge, origin = ORIGIN) =>
  proveKey(accounts, challenges, signed, { origin, purpose: 'session' })

async function signedBy(who: Person, algorithm: SignatureAlgorithm = 'RSA-PSS'): Promise<SignedChallenge> {
  const { text } = await ask(who.fingerprint)
  return { challenge: text, signature: signText(text, who, algorithm), algorithm }
}

const refusedFor = (reason: string) =>
  expect.objectContaining({ code: 'unauthenticated', details: { reason }, name: 'AppError' })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-proof-'))
  sqlite = openSqlite(join(folder, 'registry.sqlite'))
  accounts = createSqlAccounts(sqlite, clock)
  anna = await person('Anna')
  bert = await person('Bert')
  stranger = await person(null)
})

beforeEach(() => {
  challenges = createChallenges(accounts, clock)
})

afterAll(() => {
  sqlite.close()
  rmSync(folder, { recursive: true })
})

describe('key proof', () => {
  it.each(['RSA-PSS', 'RS256'] as const)('knows who holds a registered key by %s', async (algorithm) => {
    const { key } = await prove(await signedBy(anna, algorithm))
    expect(key).toMatchObject({ user_name: 'Anna', fingerprint: anna.fingerprint })
  })

  it('asks every key the same question, registered or not (A01)', async () => {
    const shape = ({ text }: { text: string }) =>
      text
        .replace(/key: .*/, 'key')
        .replace(/nonce: .*/, 'nonce')
        .replace(/seal: .*/, 'seal')
    expect(shape(await ask(stranger.fingerprint))).toBe(shape(await ask(anna.fingerprint)))
  })

  it('says the same of an unknown key and of a wrong signature', async () => {
    const unknown = await prove(await signedBy(stranger)).catch((error: AppError) => error.toWire())
    const { challenge, algorithm } = await signedBy(anna)
    const signature = signText(challenge, bert)
    const wrong = await prove({ challenge, signature, algorithm }).catch((error: AppError) => error.toWire())
    expect(unknown).toEqual(wrong)
    expect(unknown).toMatchObject({ code: 'unauthenticated', details: { reason: 'key_not_accepted' } })
  })

  it('takes a challenge once, also when two come at once (A02)', async () => {
    const signed = await signedBy(anna)
    const both = await Promise.allSettled([prove(signed), prove(signed)])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(prove(signed)).rejects.toEqual(refusedFor('challenge_used'))
  })

  it('uses a challenge up with a wrong signature', async () => {
    const { challenge, algorithm } = await signedBy(anna)
    await expect(prove({ challenge, algorithm, signature: signText(challenge, bert) })).rejects.toThrow(AppError)
    await expect(prove({ challenge, algorithm, signature: signText(challenge, anna) })).rejects.toEqual(
      refusedFor('challenge_used'),
    )
  })

  it("does not take one key's challenge for another key (A04)", async () => {
    const { text } = await ask(anna.fingerprint)
    const forBert = text.replace(anna.fingerprint, bert.fingerprint)
    await expect(
      prove({ challenge: forBert, signature: signText(forBert, bert), algorithm: 'RSA-PSS' }),
    ).rejects.toEqual(refusedFor('challenge_not_ours'))
    await expect(prove({ challenge: text, signature: signText(text, bert), algorithm: 'RSA-PSS' })).rejects.toEqual(
      refusedFor('key_not_accepted'),
    )
  })

  it.each([
    ['the nonce alone (A05)', (text: string) => /nonce: (.*)/.exec(text)?.[1] ?? ''],
    ['a commit that holds the text (A06)', (text: string) => `tree 0000\nauthor Anna\n\n${text}`],
    ['the text with another line end', (text: string) => `${text}\n`],
  ])('does not take a signature over %s', async (_what, over) => {
    const { text } = await ask(anna.fingerprint)
    const signature = signText(over(text), anna)
    await expect(prove({ challenge: text, signature, algorithm: 'RSA-PSS' })).rejects.toEqual(
      refusedFor('key_not_accepted'),
    )
  })

  it('takes no challenge for another origin (A07)', async () => {
    const { text } = await ask(anna.fingerprint, 'https://evil.example')
    const signed: SignedChallenge = { challenge: text, signature: signText(text, anna), algorithm: 'RSA-PSS' }
    await expect(prove(signed)).rejects.toEqual(refusedFor('wrong_origin'))
  })

  it('takes no challenge for another purpose', async () => {
    const about = 'client: c\n'
    const { text } = await challenges.create({
      origin: ORIGIN,
      purpose: 'authorize',
      fingerprint: anna.fingerprint,
      about,
    })
    const signed: SignedChallenge = { challenge: text, signature: signText(text, anna), algorithm: 'RSA-PSS' }
    await expect(prove(signed)).rejects.toEqual(refusedFor('wrong_purpose'))
  })

  it.each([
    ['AAAA', (_text: string) => 'AAAA'],
    ['a nonce of the client (A08)', (text: string) => text.replace(/nonce: .*/, `nonce: ${'A'.repeat(43)}`)],
    ['a later time', (text: string) => text.replace(/issued: .*/, 'issued: 2030-01-01T00:00:00.000Z')],
    ['no seal', (text: string) => text.replace(/seal: .*/, '')],
    ['a line more', (text: string) => text.replace('\nseal', '\nclient: x\nseal')],
    ['nothing', () => ''],
  ])('takes no challenge that it did not make: %s', async (_what, change) => {
    const challenge = change((await ask(anna.fingerprint)).text)
    await expect(prove({ challenge, signature: signText(challenge, anna), algorithm: 'RSA-PSS' })).rejects.toEqual(
      refusedFor('challenge_not_ours'),
    )
  })

  it.each(['', 'AAAA', '!!!!', 'A'.repeat(683)])('takes no signature %j (A09)', async (signature) => {
    const { text } = await ask(anna.fingerprint)
    await expect(prove({ challenge: text, signature, algorithm: 'RSA-PSS' })).rejects.toEqual(
      refusedFor('key_not_accepted'),
    )
  })

  it('does not take a signature of the one algorithm for the other', async () => {
    const { text } = await ask(anna.fingerprint)
    const signature = signText(text, anna, 'RS256')
    await expect(prove({ challenge: text, signature, algorithm: 'RSA-PSS' })).rejects.toEqual(
      refusedFor('key_not_accepted'),
    )
  })

  it('takes a challenge for three minutes, whatever the clock does meanwhile', async () => {
    const start = clock.nowMs
    const late = await signedBy(anna)
    const early = await signedBy(anna)
    const used = await signedBy(anna)
    await prove(used)
    clock.nowMs = start + 3 * MINUTE + 1
    await expect(prove(late)).rejects.toEqual(refusedFor('challenge_expired'))
    clock.nowMs = start - 10_000
    await expect(prove(early)).rejects.toEqual(refusedFor('clock'))
    clock.nowMs = start
    await expect(prove(used)).rejects.toEqual(refusedFor('challenge_used'))
    await expect(prove(early)).resolves.toMatchObject({ about: '' })
  })

  it('takes no challenge of another installation', async () => {
    const other = openSqlite(join(folder, 'other.sqlite'))
    try {
      const theirs = createChallenges(createSqlAccounts(other, clock), clock)
      const { text } = await theirs.create({
        origin: ORIGIN,
        purpose: 'session',
        fingerprint: anna.fingerprint,
        about: '',
      })
      const signed: SignedChallenge = { challenge: text, signature: signText(text, anna), algorithm: 'RSA-PSS' }
      await expect(prove(signed)).rejects.toEqual(refusedFor('challenge_not_ours'))
    } finally {
      other.close()
    }
  })

  it('takes no revoked key, and ends what it had opened', async () => {
    const carl = await person('Carl')
    const { key } = await prove(await signedBy(carl))
    const { access_token, refresh_token } = await openSession(accounts, clock, key, {
      kind: 'page',
      workspace: undefined,
      preferred: workspace,
      scopes: undefined,
      label: '',
    })
    await accounts.revokeKey(carl.fingerprint)
    await expect(prove(await signedBy(carl))).rejects.toEqual(refusedFor('key_not_accepted'))
    await expect(refreshSession(accounts, clock, refresh_token ?? '', async () => undefined)).rejects.toEqual(
      refusedFor('session_over'),
    )
    expect(access_token).toMatch(/^mwa_/)
    expect(await accounts.listSessions(key.user_id)).toEqual([])
  })
})
