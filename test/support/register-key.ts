import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createSqlAccounts } from '#functions/accounts/sql-accounts.ts'
import { openSqlite } from '#functions/adapters/node/sqlite.ts'
import { createAdministration } from '#functions/auth/administration.ts'
import { parseKeysOptions } from '#scripts/keys/options.ts'
import { runKeys } from '#scripts/keys/run-keys.ts'
import type { Stack } from '#scripts/stack.ts'
import type { Role } from '#shared/access.ts'

/**
 * Makes a key for Anna as `npm run keys` does, registered at a running stack on Node. Answers with the file of its private
 * half, `anna.pem` in `keysFolder`, beside which `anna.pem.pub` lies.
 */
export async function registerKey(
  stack: Pick<Stack, 'dataFolder' | 'workspace'>,
  keysFolder: string,
  role: Role,
): Promise<string> {
  mkdirSync(keysFolder, { recursive: true, mode: 0o700 })
  const sqlite = openSqlite(join(stack.dataFolder, 'edge', 'registry.sqlite'))
  const clock = { now: () => Date.now() }
  try {
    await runKeys(parseKeysOptions(['--user', 'Anna', '--role', role, '--out', 'anna.pem']), {
      administration: createAdministration({
        accounts: createSqlAccounts(sqlite, clock),
        clock,
        workspace: stack.workspace,
        address: null,
      }),
      ownName: 'anna',
      resolve: (path) => join(keysFolder, path),
      keysFolder,
    })
    return join(keysFolder, 'anna.pem')
  } finally {
    sqlite.close()
  }
}
