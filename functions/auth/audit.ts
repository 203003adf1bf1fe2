import { AppError } from '#shared/errors.ts'
import type { Accounts, AuditEntry } from '../ports/accounts.ts'
import type { Log } from '../ports/log.ts'

export interface Audit {
  /** Never rejects: an entry that cannot be written is reported to the operator, and what it was about goes on. */
  record(entry: Partial<AuditEntry> & Pick<AuditEntry, 'actor' | 'action' | 'outcome'>): Promise<void>
}

export const createAudit = (accounts: Pick<Accounts, 'audit'>, log: Log): Audit => ({
  async record(entry) {
    try {
      await accounts.audit({ target: null, workspace: null, credential: null, address: null, ...entry })
    } catch (error) {
      log.error('Cannot write the audit log', error, { action: entry.action })
    }
  },
})

/** How an entry names a refusal: its reason where it has one, else its code. */
export function outcomeOf(error: unknown): string {
  if (!(error instanceof AppError)) return 'internal'
  const reason = error.details?.reason
  return typeof reason === 'string' ? reason : error.code
}
