import type { Role, Scope } from '#shared/access.ts'
import type { WorkspaceId } from '#shared/ids.ts'

/** SHA-256 in hexadecimal of a token, never the token. */
export type TokenHash = string

export interface User {
  /** Opaque; no colon, which parts some tokens. */
  readonly user_id: string
  readonly name: string
}

export interface NewKey {
  /** `SHA256:` and the base64url of the SHA-256 of the SPKI. */
  readonly fingerprint: string
  /** SPKI in base64url. */
  readonly spki: string
  readonly user_id: string
  readonly label: string
}

export interface KeyRecord extends NewKey {
  readonly user_name: string
  readonly created_at: number
  readonly last_used_at: number | null
  readonly revoked_at: number | null
}

export interface Membership {
  readonly workspace: WorkspaceId
  readonly role: Role
}

/** How a session was opened: by a person at a page, or by a program with its key. */
export type SessionKind = 'page' | 'program'

export interface NewSession {
  readonly session_id: string
  readonly kind: SessionKind
  readonly user_id: string
  readonly fingerprint: string
  readonly workspace: WorkspaceId
  readonly scopes: readonly Scope[]
  /** What the client calls itself, for the owner's list. */
  readonly label: string
  readonly access_hash: TokenHash
  readonly access_expires_at: number
  /** Null for a session that cannot be prolonged. */
  readonly refresh_hash: TokenHash | null
  /** The session is over when it has not been refreshed until then. */
  readonly refresh_expires_at: number
  /** The session is over then, however often it was refreshed. */
  readonly ends_at: number
}

export interface SessionRecord {
  readonly session_id: string
  readonly kind: SessionKind
  readonly user_id: string
  readonly fingerprint: string
  readonly workspace: WorkspaceId
  readonly scopes: readonly Scope[]
  readonly label: string
  readonly created_at: number
  readonly refreshed_at: number
  readonly ends_at: number
}

export interface Rotation {
  readonly presented: TokenHash
  readonly access_hash: TokenHash
  readonly access_expires_at: number
  readonly refresh_hash: TokenHash
  readonly refresh_expires_at: number
}

export interface NewNamedToken {
  readonly token_id: string
  readonly hash: TokenHash
  readonly user_id: string
  readonly workspace: WorkspaceId
  readonly scopes: readonly Scope[]
  readonly name: string
  readonly expires_at: number
}

export interface NamedTokenRecord extends Omit<NewNamedToken, 'hash'> {
  readonly user_name: string
  readonly created_at: number
  readonly last_used_at: number | null
  readonly revoked_at: number | null
}

/** What a token that is good at this moment stands for. */
export interface Access {
  readonly kind: 'session' | 'token'
  /** Of the session or the named token. */
  readonly credential_id: string
  readonly user: User
  readonly workspace: WorkspaceId
  /** Those of the token. */
  readonly scopes: readonly Scope[]
  /** The holder's, now: what is allowed is what both allow. */
  readonly role: Role
  readonly expires_at: number
}

export interface AuditEntry {
  /** Who: a user's id, `owner`, `machine:` and a name, or `nobody` where that is not known. */
  readonly actor: string
  /** What was done: `session.open`, `key.revoke`, `tool.write_file`. */
  readonly action: string
  /** On what, by id. Never a file's text, a message or a token. */
  readonly target: string | null
  readonly workspace: string | null
  /** `ok`, or the code or reason of the refusal. */
  readonly outcome: string
  /** Which session or token it was done with. */
  readonly credential: string | null
  /** Of the network, where it is known. */
  readonly address: string | null
}

export interface AuditRecord extends AuditEntry {
  readonly at: number
}

/** A value of the OAuth library's store. */
export interface StoredValue {
  readonly value: string
  readonly metadata: string | null
}

/**
 * Who there is, what they may, and what they hold. Every method is one transaction, and takes and gives plain data, so that
 * it can be a call to another process. Times are epoch milliseconds of the store's own clock. Every method rejects with
 * AppError `unavailable` when the store fails.
 */
export interface Accounts {
  /** The user of that name (letter case apart), made where there is none. */
  ensureUser(name: string): Promise<User>
  /** Null where there is none. */
  findUser(name: string): Promise<User | null>
  /** `already_exists` for a key that is or was registered, whoever's: a revoked key does not come back. */
  addKey(key: NewKey): Promise<void>
  /** Null where the key is not registered or has been revoked. Does not count as a use. */
  findKey(fingerprint: string): Promise<KeyRecord | null>
  /** The key made a valid signature. */
  touchKey(fingerprint: string): Promise<void>
  listKeys(): Promise<readonly KeyRecord[]>
  /** Ends the sessions that were opened with it. False where there is no such live key. */
  revokeKey(fingerprint: string): Promise<boolean>
  /** Null takes the person out of the workspace; their tokens for it are worth nothing from then on. */
  setRole(user: string, workspace: WorkspaceId, role: Role | null): Promise<void>
  /** In order of name. */
  listMemberships(user: string): Promise<readonly Membership[]>
  listMembers(workspace: WorkspaceId): Promise<readonly { readonly user: User; readonly role: Role }[]>

  /** True the first time, false ever after until `expiresAt` has passed. */
  spendOnce(hash: TokenHash, expiresAt: number): Promise<boolean>
  /**
   * Whether something that a machine signed with this key is to be taken: `revoked` where the machine is not let in any more,
   * `repeated` where `once` was given before with the same id, until its `expiresAt` has passed.
   */
  admitMachine(
    publicKey: string,
    once: { readonly id: string; readonly expiresAt: number } | null,
  ): Promise<'admitted' | 'revoked' | 'repeated'>
  /** For ever: a machine is enrolled anew with another key. False where that was done before. */
  revokeMachine(publicKey: string, name: string | null): Promise<boolean>
  /** A secret of this installation, base64url of 256 bits, made when it is first asked for. */
  secret(name: string): Promise<string>

  openSession(session: NewSession): Promise<SessionRecord>
  /**
   * Exchanges a refresh token for new ones; the old ones are worth nothing from then on. `reused`: it had been exchanged
   * before, so somebody else has it too, and the session has been ended. `over`: unknown, expired, or its session has ended.
   */
  rotateSession(
    rotation: Rotation,
  ): Promise<{ outcome: 'rotated' | 'reused'; session: SessionRecord } | { outcome: 'over' }>
  /** Those that are not over, newest first. */
  listSessions(user: string): Promise<readonly SessionRecord[]>
  /** False where this user has no such live session. */
  endSession(user: string, session: string): Promise<boolean>

  addNamedToken(token: NewNamedToken): Promise<void>
  listNamedTokens(): Promise<readonly NamedTokenRecord[]>
  /** False where there is no such live token. */
  revokeNamedToken(tokenId: string): Promise<boolean>

  /**
   * What the token of a session, or a named token, stands for. Null for one that is unknown, expired, revoked, of an ended
   * session, of a revoked key, or of a person who is not in its workspace.
   */
  findAccess(hash: TokenHash): Promise<Access | null>
  /** The same question for a token of another store: null where the key is revoked or the person not in the workspace. */
  findRole(user: string, fingerprint: string, workspace: WorkspaceId): Promise<{ user: User; role: Role } | null>

  audit(entry: AuditEntry): Promise<void>
  /** Newest first; those of one workspace where it is named. */
  listAudit(limit: number, workspace?: WorkspaceId): Promise<readonly AuditRecord[]>

  getValue(key: string): Promise<StoredValue | null>
  /** Null: it does not expire. */
  putValue(key: string, value: StoredValue, expiresAt: number | null): Promise<void>
  deleteValue(key: string): Promise<void>
  /** In order of key, those after `after`. */
  listValues(
    prefix: string,
    after: string | null,
    limit: number,
  ): Promise<readonly { readonly key: string; readonly metadata: string | null; readonly expires_at: number | null }[]>

  /** Removes what is over, and the audit log's oldest entries. Safe to repeat. */
  prune(): Promise<void>
}
