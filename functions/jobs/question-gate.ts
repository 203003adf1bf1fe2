import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import { type Machine, Nonce, notSigned } from '#shared/protocol/signature.ts'
import type { RegistryOperation } from '#shared/protocol/subjects.ts'
import { createAudit, outcomeOf } from '../auth/audit.ts'
import { createOpenLimit } from '../http/open-limit.ts'
import type { Accounts } from '../ports/accounts.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { MachineHeaders, MachineProof, MachineTrust } from '../ports/machine-trust.ts'

/** A question to the registry as it came. */
export interface AskedQuestion extends MachineHeaders {
  readonly workspace: WorkspaceId
  readonly operation: RegistryOperation
  /** As the message travelled. */
  readonly subject: string
  readonly body: Uint8Array
  readonly nonce: string | undefined
}

/**
 * The machine that has asked a question to the registry: one that serves this workspace's repository and has not been revoked,
 * and asks now and for the first time. Rejects with `forbidden`, `timeout` (made too long ago, or in the future) or `conflict`
 * (taken before), which are for the worker, and with `unavailable` where the accounts fail. Refusals are in the log and in
 * the audit log.
 */
export type QuestionGate = (question: AskedQuestion) => Promise<Machine>

/** As long as a call may take, and what two clocks may differ by on top. */
const AGE_MAX_MS = 60_000
/** Who may write to NATS, and can sign nothing, shall not fill the logs: neither of one workspace, nor with names of many. */
const REFUSALS_TOLD_MAX = 20
const REFUSALS_TOLD_OF_ALL_MAX = 60
const WINDOW_MS = 60_000

/** What only reads may be asked again: that changes nothing, and the answer is good for the same question alone. */
const onlyReads: Record<RegistryOperation, boolean> = {
  claim_job: false,
  finish_job: false,
  find_over: true,
  find_owners: true,
  list_owners: true,
  take_agent: false,
  release_agent: false,
}

export interface QuestionGatePorts {
  readonly trust: MachineTrust
  readonly accounts: Pick<Accounts, 'admitMachine' | 'audit'>
  readonly clock: Clock
  readonly log: Log
}

export function createQuestionGate({ trust, accounts, clock, log }: QuestionGatePorts): QuestionGate {
  const audit = createAudit(accounts, log)
  const told = createOpenLimit(REFUSALS_TOLD_MAX, WINDOW_MS, clock)
  const toldOfAll = createOpenLimit(REFUSALS_TOLD_OF_ALL_MAX, WINDOW_MS, clock)

  async function admit({ workspace, operation, nonce }: AskedQuestion, proof: MachineProof): Promise<void> {
    const { machine, timeMs } = proof
    if (machine.role !== 'repository' || machine.workspace !== workspace) {
      throw notSigned('the question', `"${machine.name}" is no repository worker of this workspace`, ENROLLED_AS)
    }
    if (Math.abs(clock.now() - timeMs) > AGE_MAX_MS) {
      throw new AppError('timeout', 'Cannot take the question: it was not made just now', {
        hint: "Set the clocks of the edge and of the worker's machine right: they differ by more than a minute",
      })
    }
    const once = onlyReads[operation]
      ? null
      : { id: `question ${machine.publicKey} ${nonce}`, expiresAt: timeMs + 2 * AGE_MAX_MS }
    const standing = await accounts.admitMachine(machine.publicKey, once)
    if (standing === 'revoked') {
      throw notSigned(
        'the question',
        `"${machine.name}" has been revoked`,
        'Enroll the machine anew to let it in again',
      )
    }
    if (standing === 'repeated') {
      throw new AppError('conflict', 'Cannot take the question: it has been taken before')
    }
  }

  return async (question) => {
    const { workspace, operation, subject, body, nonce } = question
    let proof: MachineProof | undefined
    try {
      if (!v.is(Nonce, nonce)) throw notSigned('the question', 'it has no nonce', UPDATE)
      proof = await trust.verify('the question', { purpose: 'question', subject, body, question: nonce }, question)
      await admit(question, proof)
      return proof.machine
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'unavailable') throw error
      const actor = proof === undefined ? 'nobody' : `machine:${proof.machine.name}`
      if (told.tryOpen(workspace) === null && toldOfAll.tryOpen('all') === null) {
        log.error('Refused a question to the registry', error, { workspace, operation, actor })
        await audit.record({ actor, action: `registry.${operation}`, workspace, outcome: outcomeOf(error) })
      }
      throw error
    }
  }
}

const ENROLLED_AS = 'Enroll the machine for this workspace under another name: npm run keys -- machine NAME'
const UPDATE = 'Edge and worker may be of different versions'
