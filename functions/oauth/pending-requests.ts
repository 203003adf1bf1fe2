import * as v from 'valibot'
import { parseScopes, type Scope, scopesOfRole, withContained } from '#shared/access.ts'
import { AppError } from '#shared/errors.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import type { Challenge, Challenges } from '../auth/challenge.ts'
import { proveKey, type SignedChallenge } from '../auth/key-proof.ts'
import { createSecret, isEqualText, sha256Hex } from '../crypto.ts'
import type { Accounts } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import type { AuthRequest, ConsentDescription } from '../ports/oauth-library.ts'

/** A person reads, finds a key file, and decides. */
const LIFETIME_MS = 15 * 60_000
/** What a client may make a person sign, a line each. Longer ones are no addresses of honest clients. */
const FIELD_CHARACTERS_MAX = 2000
const FIRST_SCOPES = withContained('write')

const StoredRequest = v.object({
  responseType: v.string(),
  clientId: v.string(),
  redirectUri: v.string(),
  scope: v.array(v.string()),
  state: v.string(),
  codeChallenge: v.optional(v.string()),
  codeChallengeMethod: v.optional(v.string()),
  resource: v.optional(v.string()),
  issuer: v.optional(v.string()),
})

const Pending = v.object({
  request: StoredRequest,
  issuer: v.string(),
  resource: v.string(),
  clientName: v.string(),
  proven: v.nullable(
    v.object({ user_id: v.string(), name: v.string(), fingerprint: v.string(), ticket_hash: v.string() }),
  ),
})
type Pending = v.InferOutput<typeof Pending>

/** What the page shows before anybody has signed in. */
export interface BegunRequest {
  readonly handle: string
  readonly client: ConsentDescription & { readonly clientId: string }
  readonly scopes: readonly Scope[]
  readonly resource: string
}

export interface ProvenRequest {
  /** Known to the page that was open when the key was proven, and to nobody else: without it nothing is granted. */
  readonly ticket: string
  readonly user: { readonly user_id: string; readonly name: string }
  readonly workspaces: readonly {
    readonly workspace: WorkspaceId
    readonly role: string
    readonly scopes: readonly Scope[]
  }[]
}

export interface Decision {
  readonly pending: Pending
  readonly user_id: string
  readonly fingerprint: string
}

/** Every method rejects with `unauthenticated` for a request that is over or was never begun. */
export interface PendingRequests {
  begin(
    request: AuthRequest,
    client: ConsentDescription,
    at: { issuer: string; resource: string },
  ): Promise<BegunRequest>
  /** The text to sign: who asks, for what, and where the answer goes. */
  challenge(handle: string, fingerprint: string): Promise<Challenge>
  prove(handle: string, signed: SignedChallenge): Promise<ProvenRequest>
  /** Uses the request up. Rejects without the ticket of the page that proved the key; the request stays then. */
  decide(handle: string, ticket: string): Promise<Decision>
  /** Uses the request up without anybody signed in: to say no needs no key. */
  deny(handle: string): Promise<Pending>
}

/**
 * Authorization requests between the first page and the decision. No cookie binds them to a browser: what does is the
 * handle, and from the proof on the ticket, which only the page's own memory holds, so that no other site can have a
 * decision made and no other browser can finish what one has begun.
 */
export function createPendingRequests(accounts: Accounts, challenges: Challenges, clock: Clock): PendingRequests {
  const keyOf = async (handle: string) => `mw-authorize:${await sha256Hex(handle)}`

  async function read(handle: string): Promise<Pending> {
    const stored = await accounts.getValue(await keyOf(handle))
    if (stored === null) throw gone()
    return v.parse(v.pipe(v.string(), v.parseJson(), Pending), stored.value)
  }

  async function write(handle: string, pending: Pending): Promise<void> {
    const value = { value: JSON.stringify(pending), metadata: null }
    await accounts.putValue(await keyOf(handle), value, clock.now() + LIFETIME_MS)
  }

  /** Of two that come at once, one gets it. */
  async function take(handle: string): Promise<Pending> {
    const pending = await read(handle)
    const isFirst = await accounts.spendOnce(await sha256Hex(`authorize ${handle}`), clock.now() + 2 * LIFETIME_MS)
    await accounts.deleteValue(await keyOf(handle))
    if (!isFirst) throw gone()
    return pending
  }

  const describe = (handle: string, { request, resource }: Pending): string =>
    [
      `request: ${handle}`,
      `client: ${request.clientId}`,
      `redirect: ${request.redirectUri}`,
      `resource: ${resource}`,
      `scopes: ${scopesAsked(request).join(' ')}`,
      '',
    ].join('\n')

  return {
    async begin(request, client, { issuer, resource }) {
      for (const text of [request.clientId, request.redirectUri]) {
        if (text.length > FIELD_CHARACTERS_MAX || /[\x00-\x1f\x7f]/.test(text)) {
          throw new AppError('invalid_input', 'Cannot sign in: the client has no address that can be shown')
        }
      }
      const handle = createSecret()
      await write(handle, { request, issuer, resource, clientName: client.clientName.slice(0, 200), proven: null })
      return { handle, client: { ...client, clientId: request.clientId }, scopes: scopesAsked(request), resource }
    },

    async challenge(handle, fingerprint) {
      const pending = await read(handle)
      const about = describe(handle, pending)
      return challenges.create({ origin: pending.issuer, purpose: 'authorize', fingerprint, about })
    },

    async prove(handle, signed) {
      const pending = await read(handle)
      const proof = await proveKey(accounts, challenges, signed, { origin: pending.issuer, purpose: 'authorize' })
      if (proof.about !== describe(handle, pending)) throw gone()
      const { user_id, user_name: name, fingerprint } = proof.key
      const ticket = createSecret()
      await write(handle, { ...pending, proven: { user_id, name, fingerprint, ticket_hash: await sha256Hex(ticket) } })
      const memberships = await accounts.listMemberships(user_id)
      return {
        ticket,
        user: { user_id, name },
        workspaces: memberships.map(({ workspace, role }) => ({ workspace, role, scopes: scopesOfRole(role) })),
      }
    },

    async decide(handle, ticket) {
      const { proven } = await read(handle)
      if (proven === null || !isEqualText(await sha256Hex(ticket), proven.ticket_hash)) throw gone()
      const pending = await take(handle)
      return { pending, user_id: proven.user_id, fingerprint: proven.fingerprint }
    },

    deny: take,
  }
}

/** What the client asked for, of what there is; what most need where it named nothing. */
function scopesAsked({ scope }: { readonly scope: readonly string[] }): readonly Scope[] {
  const asked = parseScopes(scope.join(' '))
  return asked.length === 0 ? FIRST_SCOPES : asked
}

const gone = () =>
  new AppError('unauthenticated', 'Cannot go on with the sign-in: it is over, or was begun on another page', {
    hint: 'Start again from the program that wants to connect',
    details: { reason: 'session_over' },
  })
