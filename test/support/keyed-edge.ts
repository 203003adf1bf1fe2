import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { openSqlite } from '#functions/adapters/node/sqlite.ts'
import { type Administration, createAdministration } from '#functions/auth/administration.ts'
import type { EdgeServer } from '#functions/entry.node.ts'
import { createHttpAdministration } from '#scripts/keys/http-administration.ts'
import { parseKeysOptions } from '#scripts/keys/options.ts'
import { runKeys } from '#scripts/keys/run-keys.ts'
import { toWorkspaceId, type WorkspaceId } from '#shared/ids.ts'
import { edgeRuntime } from './edge-runtime.ts'
import { startEdgeServer } from './edge-server.ts'

/** The functions without NATS, for what needs no worker, in the runtime of the tests' project, and what `npm run keys` does. */
export interface KeyedEdge {
  readonly edge: EdgeServer
  /** Holds the keys. Removed with the rest. */
  readonly folder: string
  /** As `npm run keys` reaches it: by its database on Node, over HTTP in workerd. */
  readonly administration: Administration
  /** Runs `npm run keys` with these words; files are in `folder`. */
  keys(...argv: string[]): Promise<string>
  stop(): Promise<void>
}

export const keyedWorkspace = toWorkspaceId('shop')

/** Anna has a key in `anna.pem`. `options` of `npm run keys` beside her name and the place of the key. */
export async function startKeyedEdge(options: readonly string[] = []): Promise<KeyedEdge> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-keyed-'))
  const edge = await startEdgeServer({
    workspace: keyedWorkspace,
    folder: join(folder, 'edge'),
    natsUrl: 'nats://127.0.0.1:1',
    natsWebSocketUrl: 'ws://edge:x@127.0.0.1:9',
  })
  const { administration, close } = administrationOf(edge, join(folder, 'edge'), keyedWorkspace)
  const keys = (...argv: string[]) =>
    runKeys(parseKeysOptions(argv), {
      administration,
      ownName: 'anna',
      resolve: (path) => join(folder, path),
      keysFolder: folder,
    })
  await keys('--user', 'Anna', '--out', 'anna.pem', ...options)
  return {
    edge,
    folder,
    administration,
    keys,
    async stop() {
      close()
      await edge.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** As `npm run keys` reaches a running edge, of which `folder` is the data folder. */
export function administrationOf(
  edge: EdgeServer,
  folder: string,
  workspace: WorkspaceId,
): { administration: Administration; close: () => void } {
  if (edgeRuntime() === 'workerd') {
    return { administration: createHttpAdministration(edge.url, edge.token), close: () => undefined }
  }
  const sqlite = openSqlite(join(folder, 'registry.sqlite'))
  const clock = { now: () => Date.now() }
  const accounts = createSqlAccounts(sqlite, clock)
  return {
    administration: createAdministration({ accounts, clock, workspace, address: null }),
    close: sqlite.close,
  }
}
