// Times are epoch milliseconds; `scopes` are words with spaces between. Of tokens only SHA-256 is kept. Order matters and a
// released entry never changes. A list of its own, apart from the registry's: in some runtimes the accounts of all
// workspaces lie in one database and each registry in another.
export const accountMigrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE users (
      user_id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      name_key TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE keys (
      fingerprint TEXT PRIMARY KEY,
      user_id TEXT NOT NULL,
      label TEXT NOT NULL,
      spki TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      last_used_at INTEGER,
      revoked_at INTEGER
    ) STRICT`,
    `CREATE TABLE members (
      user_id TEXT NOT NULL,
      workspace TEXT NOT NULL,
      role TEXT NOT NULL CHECK (role IN ('reader', 'writer', 'admin')),
      PRIMARY KEY (user_id, workspace)
    ) STRICT`,
    'CREATE TABLE secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT',
    // What may be used once and has been: challenges, assertions.
    'CREATE TABLE spent (hash TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT',
    'CREATE INDEX spent_expiry ON spent (expires_at)',
    `CREATE TABLE sessions (
      session_id TEXT PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('page', 'program')),
      user_id TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      workspace TEXT NOT NULL,
      scopes TEXT NOT NULL,
      label TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      refreshed_at INTEGER NOT NULL,
      refresh_expires_at INTEGER NOT NULL,
      ends_at INTEGER NOT NULL,
      ended_at INTEGER
    ) STRICT`,
    'CREATE INDEX sessions_user ON sessions (user_id, created_at)',
    'CREATE INDEX sessions_key ON sessions (fingerprint)',
    // Refresh tokens stay after their exchange, for as long as their session may live: one that comes again was copied.
    `CREATE TABLE session_tokens (
      hash TEXT PRIMARY KEY,
      session_id TEXT NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('access', 'refresh')),
      expires_at INTEGER NOT NULL,
      spent_at INTEGER
    ) STRICT`,
    'CREATE INDEX session_tokens_session ON session_tokens (session_id)',
    `CREATE TABLE named_tokens (
      token_id TEXT PRIMARY KEY,
      hash TEXT NOT NULL UNIQUE,
      user_id TEXT NOT NULL,
      workspace TEXT NOT NULL,
      scopes TEXT NOT NULL,
      name TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      last_used_at INTEGER,
      revoked_at INTEGER
    ) STRICT`,
    `CREATE TABLE audit (
      entry INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      actor TEXT NOT NULL,
      action TEXT NOT NULL,
      target TEXT,
      workspace TEXT,
      outcome TEXT NOT NULL,
      credential TEXT,
      address TEXT
    ) STRICT`,
    'CREATE INDEX audit_workspace ON audit (workspace, entry)',
    // What the OAuth library keeps. Its tokens are there by hash, and what belongs to them is encrypted under them.
    `CREATE TABLE oauth (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL,
      metadata TEXT,
      expires_at INTEGER
    ) STRICT`,
    'CREATE INDEX oauth_expiry ON oauth (expires_at) WHERE expires_at IS NOT NULL',
  ],
  // The edge's certificate of a machine does not end; this ends it.
  [
    `CREATE TABLE revoked_machines (
      public_key TEXT PRIMARY KEY,
      name TEXT,
      revoked_at INTEGER NOT NULL
    ) STRICT`,
  ],
]
