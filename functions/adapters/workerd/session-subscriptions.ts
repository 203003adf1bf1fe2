import type { Sql } from '../../ports/sql.ts'
import type { SubscriptionMemory } from '../../ports/subscription-memory.ts'

/** In the storage of the session's object, and gone with it. Most sessions subscribe to nothing, and have no table. */
export function createSessionSubscriptions(sql: Sql): SubscriptionMemory {
  const isThere = () => sql.all("SELECT 1 AS there FROM sqlite_master WHERE name = 'subscriptions'").length > 0
  return {
    list: () =>
      isThere() ? sql.all('SELECT uri FROM subscriptions ORDER BY rowid').map(({ uri }) => String(uri)) : [],
    add(uri) {
      sql.run('CREATE TABLE IF NOT EXISTS subscriptions (uri TEXT PRIMARY KEY) STRICT')
      sql.run('INSERT OR IGNORE INTO subscriptions (uri) VALUES (?)', uri)
    },
    remove(uri) {
      if (isThere()) sql.run('DELETE FROM subscriptions WHERE uri = ?', uri)
    },
  }
}
