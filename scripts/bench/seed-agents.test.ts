import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openSqlite } from '#functions/adapters/node/sqlite.ts'
import { createSqlRegistry } from '#functions/registry/sql-registry.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import { seedAgents } from './seed-agents.ts'

it('registers the agents so that the registry lists them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-test-'))
  try {
    const file = join(folder, 'edge', 'registry.sqlite')
    const workspace = toWorkspaceId('sample')
    await seedAgents(file, workspace, 120)
    const sqlite = openSqlite(file)
    const log = { info: () => undefined, error: () => undefined }
    const page = await createSqlRegistry(sqlite, { now: () => 0 }, log).listAgents(workspace, {
      query: null,
      cursor: null,
      limit: 50,
    })
    sqlite.close()
    expect({ total: page.total, items: page.items.length, first: page.items[0]?.managed_file }).toEqual({
      total: 120,
      items: 50,
      first: 'src/agent-000001.py',
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
