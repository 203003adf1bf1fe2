import { readFileSync } from 'node:fs'
import type * as v from 'valibot'
import type { AddedKey, Administration } from '#functions/auth/administration.ts'
import { toBase64Url } from '#functions/crypto.ts'
import { parsePublicKeyFile } from '#shared/key-file.ts'
import { removeKeyPair, writeKeyPair } from './key-pair.ts'
import { isMachineCommand, type KeysOptions } from './options.ts'

export interface KeysWorld {
  /** Of the edge that is meant. */
  readonly administration: Administration
  /** The name of the person's account on this machine. */
  readonly ownName: string
  /** A file by what the person wrote, from where they stand. */
  readonly resolve: (path: string) => string
  /** Where private keys are written unless `--out` says otherwise. */
  readonly keysFolder: string
}

/** Runs one command and answers what to print. Throws an Error or AppError for a person. */
export async function runKeys(options: KeysOptions, world: KeysWorld): Promise<string> {
  const { command } = options
  if (isMachineCommand(command)) throw new Error(`${command} is no command of people and keys`)
  switch (command) {
    case 'create':
      return create(options, world)
    case 'add':
      return add(options, world)
    case 'grant':
      return grant(options, world)
    case 'remove':
      return remove(options, world)
    case 'token':
      return makeToken(options, world)
    case 'list':
      return list(world)
    case 'revoke':
      return revoke(options, world)
  }
}

async function create(options: KeysOptions, world: KeysWorld): Promise<string> {
  const name = options.user ?? world.ownName
  const file = options.out === undefined ? `${world.keysFolder}/${toFileName(name)}.pem` : world.resolve(options.out)
  const pair = await writeKeyPair(file)
  try {
    const registered = await register(pair.spki, name, options, world)
    return [
      `Made a key pair for ${name}.`,
      '',
      `  Private key  ${pair.privateFile} (only you can read it; keep it, and send it to nobody)`,
      `  Public key   ${pair.publicFile}`,
      ...describeKey(registered),
    ].join('\n')
  } catch (error) {
    removeKeyPair(pair)
    throw error
  }
}

async function add(options: KeysOptions, world: KeysWorld): Promise<string> {
  const text = readFileSync(world.resolve(options.subject), 'utf8')
  const name = options.user ?? world.ownName
  const registered = await register(parsePublicKeyFile(text), name, options, world)
  return [`Registered a key of ${name}.`, '', ...describeKey(registered)].join('\n')
}

const register = (
  spki: Uint8Array,
  user: string,
  { role, label, workspace }: KeysOptions,
  { administration }: KeysWorld,
): Promise<Key> => administration.addKey({ spki: toBase64Url(spki), user, role, label, workspace })

type Key = v.InferOutput<typeof AddedKey>

const describeKey = ({ fingerprint, bits, workspace, role }: Key): string[] => [
  `  Fingerprint  ${fingerprint} (RSA, ${bits} bits)`,
  `  Workspace    ${workspace}, as ${role}`,
]

async function grant({ subject, role, workspace }: KeysOptions, { administration }: KeysWorld): Promise<string> {
  if (role === undefined) throw new Error('grant needs --role')
  const given = await administration.grant({ user: subject, role, workspace })
  return `${given.user} is ${role} in ${given.workspace} now.`
}

async function remove({ subject, workspace }: KeysOptions, { administration }: KeysWorld): Promise<string> {
  const removed = await administration.remove({ user: subject, workspace })
  return `${removed.user} is not in ${removed.workspace} any more. Their keys stay registered; revoke takes those back.`
}

async function makeToken(options: KeysOptions, { administration, ownName }: KeysWorld): Promise<string> {
  const { days, workspace, name = '' } = options
  const wish = { user: options.user ?? ownName, name, scopes: [...options.scopes], days, workspace }
  const made = await administration.makeToken(wish)
  return [
    `A token "${name}" of ${made.user} for ${made.workspace}: ${made.scopes.join(', ')}; good until ${toDay(made.expires_at)}.`,
    'It is shown this once:',
    '',
    `  ${made.token}`,
    '',
    `Take it back with: npm run keys -- revoke ${made.token_id}`,
  ].join('\n')
}

async function list({ administration }: KeysWorld): Promise<string> {
  const { people } = await administration.list()
  const blocks = people.map(({ user, memberships, keys, tokens }) =>
    [
      `${user}: ${memberships.map(({ workspace, role }) => `${role} in ${workspace}`).join(', ') || 'in no workspace'}`,
      ...keys.map(
        (key) =>
          `  key    ${key.fingerprint}  ${key.label}  made ${toDay(key.created_at)}, ${
            key.revoked_at === null ? lastUse(key.last_used_at) : `REVOKED ${toDay(key.revoked_at)}`
          }`,
      ),
      ...tokens.map(
        (token) =>
          `  token  ${token.token_id}  ${token.name}  ${token.scopes.join(',')} in ${token.workspace}, ${
            token.revoked_at === null
              ? `until ${toDay(token.expires_at)}, ${lastUse(token.last_used_at)}`
              : `REVOKED ${toDay(token.revoked_at)}`
          }`,
      ),
    ].join('\n'),
  )
  return blocks.length === 0 ? 'Nobody is registered. "npm run keys" makes you a key.' : blocks.join('\n')
}

async function revoke({ subject }: KeysOptions, { administration }: KeysWorld): Promise<string> {
  const { kind } = await administration.revoke({ id: subject })
  return `${subject} is worth nothing any more${kind === 'key' ? ', and what was opened with it has been ended' : ''}.`
}

const toDay = (epochMs: number): string => new Date(epochMs).toISOString().slice(0, 10)
const lastUse = (epochMs: number | null): string => (epochMs === null ? 'never used' : `last used ${toDay(epochMs)}`)
const toFileName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'key'
