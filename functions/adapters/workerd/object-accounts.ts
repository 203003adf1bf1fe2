import type { Accounts } from '../../ports/accounts.ts'
import { fromAnswer } from './answer.ts'
import type { ObjectNamespace } from './runtime.ts'
import type { AccountsStub } from './stubs.ts'

/** The accounts by way of their object, of which there is one. */
export function createObjectAccounts(objects: ObjectNamespace<AccountsStub>): Accounts {
  const remote = <Method extends keyof Accounts>(method: Method): Accounts[Method] =>
    ((...values: Parameters<Accounts[Method]>) =>
      fromAnswer('the accounts', objects.get(objects.idFromName('accounts')).call(method, values))) as Accounts[Method]

  return {
    ensureUser: remote('ensureUser'),
    findUser: remote('findUser'),
    addKey: remote('addKey'),
    findKey: remote('findKey'),
    touchKey: remote('touchKey'),
    listKeys: remote('listKeys'),
    revokeKey: remote('revokeKey'),
    setRole: remote('setRole'),
    listMemberships: remote('listMemberships'),
    listMembers: remote('listMembers'),
    findRole: remote('findRole'),
    openSession: remote('openSession'),
    rotateSession: remote('rotateSession'),
    listSessions: remote('listSessions'),
    endSession: remote('endSession'),
    addNamedToken: remote('addNamedToken'),
    listNamedTokens: remote('listNamedTokens'),
    revokeNamedToken: remote('revokeNamedToken'),
    findAccess: remote('findAccess'),
    spendOnce: remote('spendOnce'),
    admitMachine: remote('admitMachine'),
    revokeMachine: remote('revokeMachine'),
    secret: remote('secret'),
    audit: remote('audit'),
    listAudit: remote('listAudit'),
    getValue: remote('getValue'),
    putValue: remote('putValue'),
    deleteValue: remote('deleteValue'),
    listValues: remote('listValues'),
    prune: remote('prune'),
  }
}
