import { guarded } from '../guarded-store.ts'
import type { Accounts } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import type { Sql } from '../ports/sql.ts'
import { runMigrations } from '../sql-migrations.ts'
import { createKeepingStore } from './keeping.ts'
import { createMachineStore } from './machines.ts'
import { accountMigrations } from './migrations.ts'
import { createPeopleStore } from './people.ts'
import { createSessionStore } from './sessions.ts'

const WHAT = 'the accounts'

/** The accounts over SQL. Migrates the database first; throws `unavailable` where that cannot be done. */
export function createSqlAccounts(sql: Sql, clock: Clock): Accounts {
  runMigrations(sql, 'account_migrations', accountMigrations)
  const people = createPeopleStore(sql, clock)
  const sessions = createSessionStore(sql, clock)
  const keeping = createKeepingStore(sql, clock)
  const machines = createMachineStore(sql, clock, keeping.spendOnce)
  return {
    ensureUser: guarded(WHAT, people.ensureUser),
    findUser: guarded(WHAT, people.findUser),
    addKey: guarded(WHAT, people.addKey),
    findKey: guarded(WHAT, people.findKey),
    touchKey: guarded(WHAT, people.touchKey),
    listKeys: guarded(WHAT, people.listKeys),
    revokeKey: guarded(WHAT, people.revokeKey),
    setRole: guarded(WHAT, people.setRole),
    listMemberships: guarded(WHAT, people.listMemberships),
    listMembers: guarded(WHAT, people.listMembers),
    findRole: guarded(WHAT, people.findRole),
    openSession: guarded(WHAT, sessions.openSession),
    rotateSession: guarded(WHAT, sessions.rotateSession),
    listSessions: guarded(WHAT, sessions.listSessions),
    endSession: guarded(WHAT, sessions.endSession),
    addNamedToken: guarded(WHAT, sessions.addNamedToken),
    listNamedTokens: guarded(WHAT, sessions.listNamedTokens),
    revokeNamedToken: guarded(WHAT, sessions.revokeNamedToken),
    findAccess: guarded(WHAT, sessions.findAccess),
    spendOnce: guarded(WHAT, keeping.spendOnce),
    admitMachine: guarded(WHAT, machines.admitMachine),
    revokeMachine: guarded(WHAT, machines.revokeMachine),
    secret: guarded(WHAT, keeping.secret),
    audit: guarded(WHAT, keeping.audit),
    listAudit: guarded(WHAT, keeping.listAudit),
    getValue: guarded(WHAT, keeping.getValue),
    putValue: guarded(WHAT, keeping.putValue),
    deleteValue: guarded(WHAT, keeping.deleteValue),
    listValues: guarded(WHAT, keeping.listValues),
    prune: guarded(WHAT, keeping.prune),
  }
}
