import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { openSqlite } from '#functions/adapters/node/sqlite.ts'
import { parseConfig } from '#functions/config.ts'
import { type EdgeServer, serveEdge } from '#functions/entry.node.ts'
import { parseKeysOptions } from '#scripts/keys/options.ts'
import { runKeys } from '#scripts/keys/run-keys.ts'
import { toWorkspaceId } from '#shared/ids.ts'

/** The functions without NATS, for what needs no worker, and Anna, whose key `npm run keys` has made. */
export interface KeyedEdge {
  readonly edge: EdgeServer
  /** Holds `anna.pem`. Removed with the rest. */
  readonly folder: string
  stop(): Promise<void>
}

/** `options` of `npm run keys` beside the name and the place of the key. */
export async function startKeyedEdge(options: readonly string[] = []): Promise<KeyedEdge> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-keyed-'))
  const workspace = toWorkspaceId('shop')
  const config = parseConfig({
    NATS_URL: 'nats://127.0.0.1:1',
    MILLWRIGHT_DATA: join(folder, 'edge'),
    MILLWRIGHT_WORKSPACE: workspace,
    MILLWRIGHT_PORT: '0',
  })
  const edge = await serveEdge(config, { info: () => undefined, error: () => undefined })
  const sqlite = openSqlite(join(folder, 'edge', 'registry.sqlite'))
  await runKeys(parseKeysOptions(['--user', 'Anna', '--out', 'anna.pem', ...options]), {
    accounts: createSqlAccounts(sqlite, { now: () => Date.now() }),
    workspace,
    ownName: 'anna',
    resolve: (path) => join(folder, path),
    keysFolder: folder,
    nowMs: Date.now(),
  })
  sqlite.close()
  return {
    edge,
    folder,
    async stop() {
      await edge.close()
      rmSync(folder, { recursive: true })
    },
  }
}
