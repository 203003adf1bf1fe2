import type { Accounts } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import type { Sql } from '../ports/sql.ts'
import type { Sync } from './people.ts'

type MachineMethods = Pick<Sync<Accounts>, 'admitMachine' | 'revokeMachine'>

/** Which machines are not let in any more, and what was taken of the others once. */
export function createMachineStore(sql: Sql, clock: Clock, spendOnce: Sync<Accounts>['spendOnce']): MachineMethods {
  return {
    admitMachine(publicKey, once) {
      const [revoked] = sql.all('SELECT 1 FROM revoked_machines WHERE public_key = ?', publicKey)
      if (revoked !== undefined) return 'revoked'
      return once === null || spendOnce(once.id, once.expiresAt) ? 'admitted' : 'repeated'
    },

    revokeMachine(publicKey, name) {
      return (
        sql.run(
          'INSERT INTO revoked_machines (public_key, name, revoked_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
          publicKey,
          name,
          clock.now(),
        ) > 0
      )
    },
  }
}
