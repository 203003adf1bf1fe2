import { readFileSync } from 'node:fs'
import { parsePublicKey } from '#functions/auth/rsa-key.ts'
import { createToken } from '#functions/auth/tokens.ts'
import { createId, toBase64Url } from '#functions/crypto.ts'
import type { Accounts, AuditEntry, User } from '#functions/ports/accounts.ts'
import { allowedScopes, expandScopes, type Role } from '#shared/access.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { parsePublicKeyFile } from '#shared/key-file.ts'
import { removeKeyPair, writeKeyPair } from './key-pair.ts'
import { isMachineCommand, type KeysOptions } from './options.ts'

export interface KeysWorld {
  readonly accounts: Accounts
  readonly workspace: WorkspaceId
  /** The name of the person's account on this machine. */
  readonly ownName: string
  /** A file by what the person wrote, from where they stand. */
  readonly resolve: (path: string) => string
  /** Where private keys are written unless `--out` says otherwise. */
  readonly keysFolder: string
  readonly nowMs: number
}

const DAY_MS = 24 * 60 * 60_000

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
      ...registered,
    ].join('\n')
  } catch (error) {
    removeKeyPair(pair)
    throw error
  }
}

async function add(options: KeysOptions, world: KeysWorld): Promise<string> {
  const text = readFileSync(world.resolve(options.subject), 'utf8')
  const name = options.user ?? world.ownName
  const lines = await register(parsePublicKeyFile(text), name, options, world)
  return [`Registered a key of ${name}.`, '', ...lines].join('\n')
}

/** Registers a key and gives its owner a role in the workspace, where they have none. */
async function register(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  { role, label }: KeysOptions,
  { accounts, workspace }: KeysWorld,
): Promise<string[]> {
  const { fingerprint, spki, bits } = await parsePublicKey(bytes)
  const user = await accounts.ensureUser(name)
  await accounts.addKey({ fingerprint, spki: toBase64Url(spki), user_id: user.user_id, label: label ?? 'key' })
  await audit(accounts, { action: 'key.add', target: fingerprint, workspace })
  const given = await giveRole(accounts, user, workspace, role)
  return [`  Fingerprint  ${fingerprint} (RSA, ${bits} bits)`, `  Workspace    ${workspace}, as ${given}`]
}

/** The role that was asked for, or the one that the person has, or a first one. */
async function giveRole(accounts: Accounts, user: User, workspace: WorkspaceId, asked?: Role): Promise<Role> {
  const members = await accounts.listMembers(workspace)
  const present = members.find((member) => member.user.user_id === user.user_id)?.role
  const role = asked ?? present ?? (members.length === 0 ? 'admin' : 'writer')
  if (role !== present) {
    await accounts.setRole(user.user_id, workspace, role)
    await audit(accounts, { action: `role.${role}`, target: user.user_id, workspace })
  }
  return role
}

async function grant({ subject, role }: KeysOptions, { accounts, workspace }: KeysWorld): Promise<string> {
  const user = await requireUser(accounts, subject)
  await giveRole(accounts, user, workspace, role)
  return `${user.name} is ${role} in ${workspace} now.`
}

async function remove({ subject }: KeysOptions, { accounts, workspace }: KeysWorld): Promise<string> {
  const user = await requireUser(accounts, subject)
  await accounts.setRole(user.user_id, workspace, null)
  await audit(accounts, { action: 'role.none', target: user.user_id, workspace })
  return `${user.name} is not in ${workspace} any more. Their keys stay registered; revoke takes those back.`
}

async function makeToken(options: KeysOptions, world: KeysWorld): Promise<string> {
  const { accounts, workspace } = world
  const user = await requireUser(accounts, options.user ?? world.ownName)
  const role = (await accounts.listMemberships(user.user_id)).find((each) => each.workspace === workspace)?.role
  if (role === undefined) throw new Error(`${user.name} is not a member of the workspace ${workspace}`)
  const scopes = allowedScopes(options.scopes, role)
  if (scopes.length < expandScopes(options.scopes).length) {
    throw new Error(`${user.name} is ${role} in ${workspace}, which allows ${scopes.join(', ')} and no more`)
  }
  const { token, hash } = await createToken('named')
  const token_id = createId('t')
  const expires_at = world.nowMs + options.days * DAY_MS
  const name = options.name ?? ''
  await accounts.addNamedToken({ token_id, hash, user_id: user.user_id, workspace, scopes, name, expires_at })
  await audit(accounts, { action: 'token.add', target: token_id, workspace })
  return [
    `A token "${name}" of ${user.name} for ${workspace}: ${scopes.join(', ')}; good until ${toDay(expires_at)}.`,
    'It is shown this once:',
    '',
    `  ${token}`,
    '',
    `Take it back with: npm run keys -- revoke ${token_id}`,
  ].join('\n')
}

async function list({ accounts }: KeysWorld): Promise<string> {
  const keys = await accounts.listKeys()
  const tokens = await accounts.listNamedTokens()
  const names = new Map([...keys, ...tokens].map(({ user_id, user_name }) => [user_id, user_name]))
  const blocks: string[] = []
  for (const [user, name] of names) {
    const memberships = await accounts.listMemberships(user)
    blocks.push(
      [
        `${name}: ${memberships.map(({ workspace, role }) => `${role} in ${workspace}`).join(', ') || 'in no workspace'}`,
        ...keys
          .filter((key) => key.user_id === user)
          .map(
            (key) =>
              `  key    ${key.fingerprint}  ${key.label}  made ${toDay(key.created_at)}, ${
                key.revoked_at === null ? lastUse(key.last_used_at) : `REVOKED ${toDay(key.revoked_at)}`
              }`,
          ),
        ...tokens
          .filter((token) => token.user_id === user)
          .map(
            (token) =>
              `  token  ${token.token_id}  ${token.name}  ${token.scopes.join(',')} in ${token.workspace}, ${
                token.revoked_at === null
                  ? `until ${toDay(token.expires_at)}, ${lastUse(token.last_used_at)}`
                  : `REVOKED ${toDay(token.revoked_at)}`
              }`,
          ),
      ].join('\n'),
    )
  }
  return blocks.length === 0 ? 'Nobody is registered. "npm run keys" makes you a key.' : blocks.join('\n')
}

async function revoke({ subject }: KeysOptions, { accounts }: KeysWorld): Promise<string> {
  const isKey = subject.startsWith('SHA256:')
  const done = isKey ? await accounts.revokeKey(subject) : await accounts.revokeNamedToken(subject)
  if (!done) throw new Error(`There is no key or token "${subject}" to revoke; "npm run keys -- list" shows them`)
  await audit(accounts, { action: isKey ? 'key.revoke' : 'token.revoke', target: subject, workspace: null })
  return `${subject} is worth nothing any more${isKey ? ', and what was opened with it has been ended' : ''}.`
}

async function requireUser(accounts: Accounts, name: string): Promise<User> {
  const user = await accounts.findUser(name)
  if (user === null) throw new Error(`Nobody here is called "${name}". "add" and "create" make people known`)
  return user
}

/** Whoever can run this can read and write the whole database: the machine's owner. */
const audit = (accounts: Accounts, entry: Pick<AuditEntry, 'action' | 'target' | 'workspace'>): Promise<void> =>
  accounts.audit({ actor: 'owner', outcome: 'ok', credential: null, address: null, ...entry })

const toDay = (epochMs: number): string => new Date(epochMs).toISOString().slice(0, 10)
const lastUse = (epochMs: number | null): string => (epochMs === null ? 'never used' : `last used ${toDay(epochMs)}`)
const toFileName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'key'
