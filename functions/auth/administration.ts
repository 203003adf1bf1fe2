import * as v from 'valibot'
import { allowedScopes, expandScopes, Role, Scope } from '#shared/access.ts'
import { AppError } from '#shared/errors.ts'
import { WorkspaceId } from '#shared/ids.ts'
import { MachineName, PublicKey } from '#shared/protocol/signature.ts'
import { createId, fromBase64Url, toBase64Url } from '../crypto.ts'
import type { Accounts, AuditEntry, User } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import { parsePublicKey } from './rsa-key.ts'
import { createToken } from './tokens.ts'

/** What a person, a key or a token may be called: one line of a list. */
export const Name = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^[^\p{C}]{1,64}$/u, 'must be a name: one line, 1 to 64 characters'),
)
export const TOKEN_DAYS_MAX = 366
const DAY_MS = 24 * 60 * 60_000
/** Longer than any key that is taken. */
const SPKI_CHARACTERS_MAX = 2000

/** Left out: the workspace of the edge's owner. */
const workspace = v.optional(WorkspaceId)

export const KeyWish = v.strictObject({
  /** SPKI in base64url. */
  spki: v.pipe(v.string(), v.maxLength(SPKI_CHARACTERS_MAX)),
  user: Name,
  /** Left out: the one that the person has, else admin for the first person of a workspace and writer for others. */
  role: v.optional(Role),
  label: v.optional(Name),
  workspace,
})
export const RoleWish = v.strictObject({ user: Name, role: Role, workspace })
export const RemovalWish = v.strictObject({ user: Name, workspace })
export const TokenWish = v.strictObject({
  user: Name,
  name: Name,
  scopes: v.pipe(v.array(Scope), v.minLength(1), v.maxLength(3)),
  days: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(TOKEN_DAYS_MAX)),
  workspace,
})
/** A key's fingerprint or a token's id. */
export const RevocationWish = v.strictObject({ id: v.pipe(v.string(), v.minLength(1), v.maxLength(100)) })

/** By its key: a name can be given again. */
export const MachineWish = v.strictObject({ public_key: PublicKey, name: v.optional(MachineName) })

export const AddedKey = v.object({
  fingerprint: v.string(),
  bits: v.number(),
  user: v.string(),
  workspace: WorkspaceId,
  role: Role,
})
export const Standing = v.object({ user: v.string(), workspace: WorkspaceId, role: v.nullable(Role) })
export const MadeToken = v.object({
  /** Shown this once: only its hash is kept. */
  token: v.string(),
  token_id: v.string(),
  user: v.string(),
  workspace: WorkspaceId,
  scopes: v.array(Scope),
  expires_at: v.number(),
})
const times = { created_at: v.number(), last_used_at: v.nullable(v.number()), revoked_at: v.nullable(v.number()) }
/** People in order of name. Times are epoch milliseconds. */
export const People = v.object({
  people: v.array(
    v.object({
      user: v.string(),
      memberships: v.array(v.object({ workspace: WorkspaceId, role: Role })),
      keys: v.array(v.object({ fingerprint: v.string(), label: v.string(), ...times })),
      tokens: v.array(
        v.object({
          token_id: v.string(),
          name: v.string(),
          workspace: WorkspaceId,
          scopes: v.array(Scope),
          expires_at: v.number(),
          ...times,
        }),
      ),
    }),
  ),
})
export const Revoked = v.object({ kind: v.picklist(['key', 'token']) })
/** False where that was done before. */
export const RevokedMachine = v.object({ revoked: v.boolean() })

/**
 * What the machine's owner says of who may use this server. Everything that changes is in the audit log. Every method
 * rejects with AppError: `invalid_input` for a key that is not taken, `not_found`, `already_exists`, `forbidden`.
 */
export interface Administration {
  /** Registers the public half of a key and gives its owner a role. A key that is not taken leaves nobody behind. */
  addKey(wish: v.InferOutput<typeof KeyWish>): Promise<v.InferOutput<typeof AddedKey>>
  grant(wish: v.InferOutput<typeof RoleWish>): Promise<v.InferOutput<typeof Standing>>
  remove(wish: v.InferOutput<typeof RemovalWish>): Promise<v.InferOutput<typeof Standing>>
  /** A token may do no more than its person. */
  makeToken(wish: v.InferOutput<typeof TokenWish>): Promise<v.InferOutput<typeof MadeToken>>
  list(): Promise<v.InferOutput<typeof People>>
  /** Ends what was opened with it, too. */
  revoke(wish: v.InferOutput<typeof RevocationWish>): Promise<v.InferOutput<typeof Revoked>>
  /** Nothing that this machine asks of the registry is taken any more. */
  revokeMachine(wish: v.InferOutput<typeof MachineWish>): Promise<v.InferOutput<typeof RevokedMachine>>
}

export interface AdministrationParts {
  readonly accounts: Accounts
  readonly clock: Clock
  /** Which is meant where none is named. */
  readonly workspace: WorkspaceId
  /** From where it is said, for the audit log. Null on the machine itself. */
  readonly address: string | null
}

export function createAdministration({
  accounts,
  clock,
  workspace: home,
  address,
}: AdministrationParts): Administration {
  const audit = (entry: Pick<AuditEntry, 'action' | 'target' | 'workspace'>): Promise<void> =>
    accounts.audit({ actor: 'owner', outcome: 'ok', credential: null, address, ...entry })

  async function require(name: string): Promise<User> {
    const user = await accounts.findUser(name)
    if (user === null) {
      throw new AppError('not_found', `Nobody here is called "${name}"`, {
        hint: '"add" and "create" make people known',
      })
    }
    return user
  }

  /** The role that was asked for, or the one that the person has, or a first one. */
  async function giveRole(user: User, of: WorkspaceId, asked?: Role): Promise<Role> {
    const members = await accounts.listMembers(of)
    const present = members.find((member) => member.user.user_id === user.user_id)?.role
    const role = asked ?? present ?? (members.length === 0 ? 'admin' : 'writer')
    if (role !== present) {
      await accounts.setRole(user.user_id, of, role)
      await audit({ action: `role.${role}`, target: user.user_id, workspace: of })
    }
    return role
  }

  return {
    async addKey({ spki: text, user: name, role: asked, label = 'key', workspace: of = home }) {
      const { fingerprint, spki, bits } = await parsePublicKey(fromBase64Url(text) ?? new Uint8Array())
      const user = await accounts.ensureUser(name)
      await accounts.addKey({ fingerprint, spki: toBase64Url(spki), user_id: user.user_id, label })
      await audit({ action: 'key.add', target: fingerprint, workspace: of })
      return { fingerprint, bits, user: user.name, workspace: of, role: await giveRole(user, of, asked) }
    },

    async grant({ user: name, role, workspace: of = home }) {
      const user = await require(name)
      await giveRole(user, of, role)
      return { user: user.name, workspace: of, role }
    },

    async remove({ user: name, workspace: of = home }) {
      const user = await require(name)
      await accounts.setRole(user.user_id, of, null)
      await audit({ action: 'role.none', target: user.user_id, workspace: of })
      return { user: user.name, workspace: of, role: null }
    },

    async makeToken({ user: asked, name, scopes: wanted, days, workspace: of = home }) {
      const { user_id, name: user } = await require(asked)
      const role = (await accounts.listMemberships(user_id)).find((each) => each.workspace === of)?.role
      if (role === undefined) {
        throw new AppError('forbidden', `Cannot make the token: ${user} is not a member of the workspace ${of}`)
      }
      const scopes = [...allowedScopes(wanted, role)]
      if (scopes.length < expandScopes(wanted).length) {
        throw new AppError(
          'forbidden',
          `Cannot make the token: ${user} is ${role} in ${of}, which allows ${scopes.join(', ')} and no more`,
        )
      }
      const { token, hash } = await createToken('named')
      const token_id = createId('t')
      const expires_at = clock.now() + days * DAY_MS
      await accounts.addNamedToken({ token_id, hash, user_id, workspace: of, scopes, name, expires_at })
      await audit({ action: 'token.add', target: token_id, workspace: of })
      return { token, token_id, user, workspace: of, scopes, expires_at }
    },

    async list() {
      const keys = await accounts.listKeys()
      const tokens = await accounts.listNamedTokens()
      const names = new Map([...keys, ...tokens].map(({ user_id, user_name }) => [user_id, user_name]))
      const people = []
      for (const [id, user] of names) {
        people.push({
          user,
          memberships: (await accounts.listMemberships(id)).map((membership) => ({ ...membership })),
          keys: keys
            .filter(({ user_id }) => user_id === id)
            .map(({ fingerprint, label, created_at, last_used_at, revoked_at }) => {
              return { fingerprint, label, created_at, last_used_at, revoked_at }
            }),
          tokens: tokens
            .filter(({ user_id }) => user_id === id)
            .map(({ user_id: _id, user_name: _name, scopes, ...token }) => ({ ...token, scopes: [...scopes] })),
        })
      }
      return { people }
    },

    async revoke({ id }) {
      const kind = id.startsWith('SHA256:') ? 'key' : 'token'
      const done = kind === 'key' ? await accounts.revokeKey(id) : await accounts.revokeNamedToken(id)
      if (!done) {
        throw new AppError('not_found', `There is no key or token "${id}" to revoke`, {
          hint: '"npm run keys -- list" shows them',
        })
      }
      await audit({ action: `${kind}.revoke`, target: id, workspace: null })
      return { kind }
    },

    async revokeMachine({ public_key, name = null }) {
      const revoked = await accounts.revokeMachine(public_key, name)
      if (revoked) await audit({ action: 'machine.revoke', target: name ?? public_key, workspace: null })
      return { revoked }
    },
  }
}
