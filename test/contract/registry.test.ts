import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { openSqlite, type SqliteFile } from '#functions/adapters/node/sqlite.ts'
import { createSqlRegistry } from '#functions/registry/sql-registry.ts'
import { describeJobAgents } from './job-agents.ts'
import { describeRegistry, type RegistryUnderTest } from './registry.ts'

const opened: { file: SqliteFile; folder: string }[] = []

afterEach(() => {
  for (const { file, folder } of opened.splice(0)) {
    file.close()
    rmSync(folder, { recursive: true })
  }
})

async function create(): Promise<RegistryUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-registry-'))
  const sql = openSqlite(join(folder, 'registry.sqlite'))
  opened.push({ file: sql, folder })
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  const reports: string[] = []
  const log = { info: () => undefined, error: (message: string) => void reports.push(message) }
  const registry = createSqlRegistry(sql, { now: () => clock.nowMs }, log)
  return { registry, sql, clock, reports }
}

describeRegistry('node:sqlite on disk', create)
describeJobAgents('node:sqlite on disk', create)
