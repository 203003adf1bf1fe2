import { AppError } from '#shared/errors.ts'
import type { Sql } from '../ports/sql.ts'

// Agents stay until they are deleted, and their conversations with them; jobs and messages up to a number (`jobs.ts`).
// Times are epoch milliseconds; `args`, `result` and `error` are JSON. Order matters and a released entry never changes: the number of
// entries that a database has run is its schema version.
const migrations: readonly (readonly string[])[] = [
  [
    // `version` is the form of the row. `sound` is what a row must be before anything trusts it, whoever wrote it; lists and
    // counts go by it, and the unique keys go on protecting the file of an unsound row.
    // The long column comes last, so that a search reads past it without touching its pages.
    `CREATE TABLE agents (
      workspace TEXT NOT NULL,
      agent_id TEXT NOT NULL,
      id_key TEXT NOT NULL,
      file_key TEXT NOT NULL,
      version INTEGER NOT NULL,
      name TEXT NOT NULL,
      managed_file TEXT NOT NULL,
      search TEXT NOT NULL,
      model TEXT,
      description TEXT,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      sound INTEGER NOT NULL GENERATED ALWAYS AS (
        version = 1 AND name <> '' AND managed_file <> '' AND substr(managed_file, 1, 1) <> '/'
        AND instr('/' || managed_file || '/', '/../') = 0
      ) STORED,
      system_prompt TEXT NOT NULL,
      UNIQUE (workspace, id_key),
      UNIQUE (workspace, file_key)
    ) STRICT`,
    'CREATE INDEX agents_page ON agents (workspace, sound, agent_id)',
    `CREATE TABLE jobs (
      workspace TEXT NOT NULL,
      job_id TEXT NOT NULL,
      subject TEXT NOT NULL,
      tool TEXT NOT NULL,
      agent_id TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
      fence INTEGER NOT NULL DEFAULT 0,
      finished_fence INTEGER,
      cancel_requested INTEGER NOT NULL DEFAULT 0,
      worker_id TEXT,
      params_hash TEXT NOT NULL,
      idempotency_key TEXT,
      call_key TEXT,
      accepts TEXT,
      deadline INTEGER NOT NULL,
      publications INTEGER NOT NULL DEFAULT 0,
      created_at INTEGER NOT NULL,
      published_at INTEGER NOT NULL,
      started_at INTEGER,
      finished_at INTEGER,
      error TEXT,
      args TEXT NOT NULL,
      result TEXT,
      PRIMARY KEY (workspace, job_id)
    ) STRICT`,
    'CREATE INDEX jobs_agent ON jobs (workspace, agent_id, job_id)',
    'CREATE INDEX jobs_state ON jobs (workspace, state, job_id)',
    `CREATE INDEX jobs_deadline ON jobs (deadline) WHERE state IN ('queued', 'running')`,
    `CREATE INDEX jobs_published ON jobs (published_at) WHERE state = 'queued'`,
    `CREATE UNIQUE INDEX jobs_idempotency ON jobs (workspace, subject, idempotency_key) WHERE idempotency_key IS NOT NULL`,
    'CREATE INDEX jobs_call ON jobs (workspace, call_key) WHERE call_key IS NOT NULL',
    `CREATE UNIQUE INDEX jobs_accepts ON jobs (workspace, accepts)
      WHERE accepts IS NOT NULL AND state IN ('queued', 'running', 'succeeded')`,
    `CREATE TABLE messages (
      message_id INTEGER PRIMARY KEY,
      workspace TEXT NOT NULL,
      agent_id TEXT NOT NULL,
      role TEXT NOT NULL CHECK (role IN ('user', 'agent')),
      job_id TEXT,
      created_at INTEGER NOT NULL,
      text TEXT NOT NULL
    ) STRICT`,
    'CREATE INDEX messages_agent ON messages (workspace, agent_id, message_id)',
  ],
  [
    // Totals, since jobs are removed after a while. Counted from here on.
    `CREATE TABLE agent_usage (
      workspace TEXT NOT NULL,
      agent_id TEXT NOT NULL,
      jobs INTEGER NOT NULL,
      prompt_tokens INTEGER NOT NULL,
      cached_prompt_tokens INTEGER NOT NULL,
      completion_tokens INTEGER NOT NULL,
      queue_ms INTEGER NOT NULL,
      generating_ms INTEGER NOT NULL,
      PRIMARY KEY (workspace, agent_id)
    ) STRICT`,
  ],
  [
    // An agent that a job made for itself goes when the job is over, however it ended: with its outcome, by a cancel, by the
    // sweep, or with the agent that it was a job of.
    'ALTER TABLE agents ADD COLUMN made_by_job TEXT',
    'CREATE INDEX agents_made ON agents (workspace, made_by_job) WHERE made_by_job IS NOT NULL',
    `CREATE TRIGGER jobs_over AFTER UPDATE OF state ON jobs WHEN NEW.state IN ('succeeded', 'failed', 'cancelled')
      BEGIN
        DELETE FROM messages WHERE workspace = NEW.workspace AND agent_id IN
          (SELECT agent_id FROM agents WHERE workspace = NEW.workspace AND made_by_job = NEW.job_id);
        DELETE FROM agent_usage WHERE workspace = NEW.workspace AND agent_id IN
          (SELECT agent_id FROM agents WHERE workspace = NEW.workspace AND made_by_job = NEW.job_id);
        DELETE FROM agents WHERE workspace = NEW.workspace AND made_by_job = NEW.job_id;
      END`,
  ],
]

/**
 * Brings a database to this program's schema. Throws `unavailable` for a database that a newer program wrote: guessing
 * at its meaning could lose ownership.
 */
export function migrate(sql: Sql): void {
  sql.run('CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT')
  sql.transaction(() => {
    const [row] = sql.all('SELECT coalesce(max(version), 0) AS version FROM migrations')
    const version = Number(row?.version ?? 0)
    if (version > migrations.length) {
      throw new AppError(
        'unavailable',
        `Cannot open the registry: its schema has version ${version}, this program knows ${migrations.length}`,
        { hint: 'Start the newer version of Millwright that wrote it, or use another data folder' },
      )
    }
    for (const [index, statements] of migrations.entries()) {
      if (index < version) continue
      for (const statement of statements) sql.run(statement)
      sql.run('INSERT INTO migrations (version, applied_at) VALUES (?, unixepoch() * 1000)', index + 1)
    }
  })
}
