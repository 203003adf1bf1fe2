import { join } from 'node:path'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { openSqlite } from '#functions/adapters/node/sqlite.ts'
import { parseKeysOptions } from '#scripts/keys/options.ts'
import { runKeys } from '#scripts/keys/run-keys.ts'
import type { Role } from '#shared/access.ts'
import { toWorkspaceId } from '#shared/ids.ts'
import type { TestStack } from './test-stack.ts'

/**
 * Makes a key for Anna as `npm run keys` does, registered at a running stack on Node. Answers with the folder that holds
 * `anna.pem` and `anna.pem.pub`; it goes with the stack.
 */
export async function registerKey(
  { client, repository }: Pick<TestStack, 'client' | 'repository'>,
  role: Role,
): Promise<string> {
  const { workspace } = await client.ok('get_server_info', {})
  const sqlite = openSqlite(join(repository.folder, 'data', 'edge', 'registry.sqlite'))
  try {
    await runKeys(parseKeysOptions(['--user', 'Anna', '--out', 'anna.pem', '--role', role]), {
      accounts: createSqlAccounts(sqlite, { now: () => Date.now() }),
      workspace: toWorkspaceId(String(workspace)),
      ownName: 'anna',
      resolve: (path) => join(repository.folder, path),
      keysFolder: repository.folder,
      nowMs: Date.now(),
    })
  } finally {
    sqlite.close()
  }
  return repository.folder
}
