import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMachineIdentity, type MachineIdentity } from '#gpu-worker/adapters/machine-identity.ts'
import { toEdgeKeys } from '#scripts/machines/edge-keys.ts'
import { makeMachine } from '#scripts/machines/machine-file.ts'
import { createJobId, toWorkspaceId } from '#shared/ids.ts'
import {
  CERTIFICATE_HEADER,
  type MachineFile,
  type MachineRole,
  NONCE_HEADER,
  parseCertificate,
  SIGNATURE_HEADER,
} from '#shared/protocol/signature.ts'
import type { RegistryOperation } from '#shared/protocol/subjects.ts'
import { type SignedQuestion, signQuestion } from '#test/support/ask-registry.ts'
import { createSqlAccounts } from '../accounts/sql-accounts.ts'
import { createMachineTrust } from '../adapters/ed25519-machine-trust.ts'
import { createSigningKey } from '../adapters/ed25519-signer.ts'
import { openSqlite, type SqliteFile } from '../adapters/node/sqlite.ts'
import type { Accounts } from '../ports/accounts.ts'
import { type AskedQuestion, createQuestionGate, type QuestionGate } from './question-gate.ts'

const here = toWorkspaceId('here')
const there = toWorkspaceId('there')
const claim = { job_id: createJobId(1000), worker_id: 'w1' }
const MINUTE = 60_000

describe('a question to the registry', () => {
  const key = createSigningKey()
  const nextKey = createSigningKey()
  let folder: string
  let sqlite: SqliteFile
  let accounts: Accounts
  let now: number
  let logged: string[]
  let gate: QuestionGate
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millwright-gate-'))
    sqlite = openSqlite(join(folder, 'registry.sqlite'))
    now = Date.now()
    logged = []
    const clock = { now: () => now }
    accounts = createSqlAccounts(sqlite, clock)
    const log = { info: () => undefined, error: (message: string) => logged.push(message) }
    gate = createQuestionGate({ trust: createMachineTrust([key, nextKey]), accounts, clock, log })
  })
  afterEach(() => {
    sqlite.close()
    rmSync(folder, { recursive: true })
  })

  const enroll = async (
    workspace: typeof here | '*',
    role: MachineRole = 'repository',
    by = key,
  ): Promise<MachineFile> => makeMachine(await toEdgeKeys([by]), { name: 'box', role, workspace })
  const identity = async (...how: Parameters<typeof enroll>): Promise<MachineIdentity> =>
    createMachineIdentity(await enroll(...how))

  /** As it comes from the bus. */
  function arrived(
    { subject, body, headers }: SignedQuestion,
    operation: RegistryOperation,
    workspace = here,
  ): AskedQuestion {
    return {
      workspace,
      operation,
      subject,
      body,
      nonce: headers.get(NONCE_HEADER) || undefined,
      signature: headers.get(SIGNATURE_HEADER) || undefined,
      certificate: headers.get(CERTIFICATE_HEADER) || undefined,
    }
  }
  const asked = (
    machine: MachineIdentity,
    operation: RegistryOperation = 'claim_job',
    question: object = claim,
  ): AskedQuestion => arrived(signQuestion(machine, here, operation, question), operation)

  it('is taken of a repository worker that was enrolled for the workspace', async () => {
    await gate(asked(await identity(here)))
    expect(await accounts.listAudit(1)).toEqual([])
    expect(logged).toEqual([])
  })

  it('is taken of one that was enrolled with the key before, or the next one, while the edge has both', async () => {
    await gate(asked(await identity(here, 'repository', nextKey)))
    await expect(gate(asked(await identity(here, 'repository', createSigningKey())))).rejects.toMatchObject({
      code: 'forbidden',
    })
  })

  it('that would change something is taken once, however long it is kept back', async () => {
    const machine = await identity(here)
    for (const operation of ['claim_job', 'finish_job', 'take_agent', 'release_agent'] as const) {
      const question = asked(machine, operation)
      const all = await Promise.allSettled([gate(question), gate(question), gate(question)])
      expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      await expect(gate(question)).rejects.toMatchObject({ code: 'conflict' })
    }
    const late = asked(machine)
    await gate(late)
    now += MINUTE - 1000
    await expect(gate(late)).rejects.toMatchObject({ code: 'conflict' })
    now += 2 * MINUTE
    await accounts.prune()
    await expect(gate(late)).rejects.toMatchObject({ code: 'timeout' })
  })

  it('that only reads may come again', async () => {
    const question = asked(await identity(here), 'find_owners', { file_keys: ['a.py'] })
    await gate(question)
    await gate(question)
  })

  it('is not taken where the clocks differ by more than a minute', async () => {
    const machine = await identity(here)
    now += MINUTE + 1000
    await expect(gate(asked(machine))).rejects.toMatchObject({
      code: 'timeout',
      hint: expect.stringContaining('clocks'),
    })
    now -= 2 * MINUTE + 3000
    await expect(gate(asked(machine))).rejects.toMatchObject({ code: 'timeout' })
  })

  it('is taken no more of a machine that was revoked, whatever it is called now', async () => {
    const file = await enroll(here)
    const machine = createMachineIdentity(file)
    await gate(asked(machine))
    const publicKey = parseCertificate(file.certificate)?.machine.publicKey ?? ''
    await accounts.revokeMachine(publicKey, 'box')
    for (const operation of ['claim_job', 'find_owners'] as const) {
      await expect(gate(asked(machine, operation))).rejects.toMatchObject({
        code: 'forbidden',
        message: expect.stringContaining('revoked'),
      })
    }
    // Another machine under the same name has another key.
    await gate(asked(await identity(here)))
  })

  it.each<[string, (machine: MachineIdentity) => Promise<AskedQuestion> | AskedQuestion]>([
    ['without a signature', (machine) => ({ ...asked(machine), signature: undefined })],
    ['without a certificate', (machine) => ({ ...asked(machine), certificate: undefined })],
    ['without a nonce', (machine) => ({ ...asked(machine), nonce: undefined })],
    ['with another nonce', (machine) => ({ ...asked(machine), nonce: asked(machine).nonce })],
    ['with other words', (machine) => ({ ...asked(machine), body: new TextEncoder().encode('{"v":1}') })],
    ['with a signature that is none', (machine) => ({ ...asked(machine), signature: `1 ${'A'.repeat(43)} 1 x` })],
    [
      'with the signature of another question',
      (machine) => ({ ...asked(machine), signature: asked(machine).signature }),
    ],
    [
      'that was signed for another operation',
      (machine) => ({ ...asked(machine, 'find_over'), operation: 'claim_job', subject: 'mw.here.registry.claim_job' }),
    ],
    [
      'that was signed for another workspace',
      (machine) => {
        const question = arrived(signQuestion(machine, there, 'claim_job', claim), 'claim_job')
        return { ...question, subject: 'mw.here.registry.claim_job' }
      },
    ],
    [
      'of a machine of another workspace',
      async (machine) => ({ ...arrived(signQuestion(machine, there, 'claim_job', claim), 'claim_job', there) }),
    ],
    ['of a model worker of this workspace', async () => asked(await identity(here, 'model'))],
    ['of a model worker of all', async () => asked(await identity('*', 'model'))],
    [
      "with another machine's certificate",
      async (machine) => ({ ...asked(machine), certificate: asked(await identity(here)).certificate }),
    ],
    [
      'of a machine that calls itself a repository worker',
      async () => {
        const question = asked(await identity(here, 'model'))
        return { ...question, certificate: question.certificate?.replace(/^model/, 'repository') }
      },
    ],
    [
      'with what a machine says to model workers',
      (machine) => {
        const question = asked(machine)
        const { subject, body } = question
        const headers = machine.prove({ purpose: 'model_ask', subject, body, question: question.nonce ?? '' })
        return { ...question, signature: headers.get(SIGNATURE_HEADER) }
      },
    ],
  ])('%s is forbidden, and stands in both logs', async (_what, forge) => {
    const question = await forge(await identity(here))
    await expect(gate(question)).rejects.toMatchObject({ code: 'forbidden' })
    expect(logged).toEqual(['Refused a question to the registry'])
    expect(await accounts.listAudit(2)).toEqual([
      expect.objectContaining({
        actor: expect.stringMatching(/^(nobody|machine:box)$/),
        action: 'registry.claim_job',
        workspace: question.workspace,
        outcome: 'forbidden',
      }),
    ])
    expect(sqlite.all('SELECT * FROM spent')).toEqual([])
  })

  it('is refused as often as it comes, and told of twenty times a minute, and sixty whatever it names', async () => {
    const question = { ...asked(await identity(here)), signature: undefined }
    for (let count = 0; count < 30; count++) {
      await expect(gate(question)).rejects.toMatchObject({ code: 'forbidden' })
    }
    expect(logged).toHaveLength(20)
    expect(await accounts.listAudit(50)).toHaveLength(20)
    for (let count = 0; count < 50; count++) {
      const workspace = toWorkspaceId(`of-nobody-${count}`)
      await expect(gate({ ...question, workspace })).rejects.toMatchObject({ code: 'forbidden' })
    }
    expect(logged).toHaveLength(60)
    now += MINUTE
    await expect(gate(question)).rejects.toMatchObject({ code: 'forbidden' })
    expect(logged).toHaveLength(61)
  })

  it('is not judged while the accounts fail', async () => {
    const machine = await identity(here)
    sqlite.run('DROP TABLE revoked_machines')
    await expect(gate(asked(machine))).rejects.toMatchObject({ code: 'unavailable' })
    expect(logged).toEqual([])
  })
})
