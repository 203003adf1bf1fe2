import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import * as v from 'valibot'
import { openSqlite } from '#functions/adapters/node/sqlite.ts'
import type { Sql } from '#functions/ports/sql.ts'
import { createSqlRegistry } from '#functions/registry/sql-registry.ts'
import { AgentId, type WorkspaceId } from '#shared/ids.ts'

/**
 * Puts `count` agents into a registry that nobody has open: the registry's own code and statements, in one transaction
 * instead of one, and one sync of the disk, per agent.
 */
export async function seedAgents(databaseFile: string, workspace: WorkspaceId, count: number): Promise<void> {
  mkdirSync(dirname(databaseFile), { recursive: true, mode: 0o700 })
  const sqlite = openSqlite(databaseFile)
  try {
    // The registry's own transactions become part of ours once it has migrated the database.
    let inOurs = false
    const sql: Sql = { ...sqlite, transaction: (work) => (inOurs ? work() : sqlite.transaction(work)) }
    const log = { info: () => undefined, error: (message: string, cause: unknown) => fail(message, cause) }
    const registry = createSqlRegistry(sql, { now: () => Date.now() }, log)
    inOurs = true
    sqlite.run('BEGIN IMMEDIATE')
    for (let index = 1; index <= count; index++) {
      const id = `agent-${String(index).padStart(6, '0')}`
      await registry.createAgent(workspace, {
        agent_id: v.parse(AgentId, id),
        name: `Agent ${index}`,
        managed_file: `src/${id}.py`,
        file_key: `src/${id}.py`,
        system_prompt: 'You write small Python modules with type hints and docstrings.',
        model: null,
        description: 'One of many',
      })
    }
    sqlite.run('COMMIT')
  } finally {
    sqlite.close()
  }
}

function fail(message: string, cause: unknown): never {
  throw new Error(message, { cause })
}
