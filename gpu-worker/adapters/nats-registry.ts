import { createHash, randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Msg, NatsConnection } from '@nats-io/transport-node'
import type * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import type { WorkspaceId } from '#shared/ids.ts'
import {
  ClaimJobReply,
  decodeMessage,
  encodeMessage,
  FindOverReply,
  FindOwnersReply,
  FinishJobReply,
  ListOwnersReply,
  MaybeRefused,
  ReleaseAgentReply,
  TakeAgentReply,
} from '#shared/protocol/envelope.ts'
import { MESSAGE_BYTES_MAX, NATS_PAYLOAD_BYTES_MAX } from '#shared/protocol/limits.ts'
import { NONCE_HEADER, SIGNATURE_HEADER } from '#shared/protocol/signature.ts'
import { type RegistryOperation, registrySubject, WIRE_VERSION } from '#shared/protocol/subjects.ts'
import type { JobAgents } from '../ports/job-agents.ts'
import type { Registry } from '../ports/registry.ts'
import type { MachineIdentity } from './machine-identity.ts'

/** What a message leaves for its headers. */
const HEADER_BYTES = NATS_PAYLOAD_BYTES_MAX - MESSAGE_BYTES_MAX
const WHAT = "the registry's reply"
const TIMEOUT_MS = 10_000
/** An edge, or a NATS server, that is restarted answers again within a few seconds. */
const PATIENCE_MS = 20_000
/** A question that was under way when the server died is never answered, and nobody says so. */
const ATTEMPT_MS = 3000
const ASK_AGAIN_MS = 500

/**
 * Asks any edge process of the workspace, signed with this machine's key, and takes an answer only of an edge that it knows, to the
 * question that it asked. What the edge refuses to take rejects with its refusal.
 */
export function createNatsRegistry(
  connection: Pick<NatsConnection, 'info' | 'request'>,
  workspace: WorkspaceId,
  { trust, prove }: Pick<MachineIdentity, 'trust' | 'prove'>,
): Registry & JobAgents {
  async function ask<const S extends v.GenericSchema>(
    operation: RegistryOperation,
    question: Record<string, unknown>,
    reply: S,
    timeout = TIMEOUT_MS,
  ): Promise<v.InferOutput<S>> {
    // While the connection is taken up again its server's limit is not known, and the question waits for it.
    const bytesMax = (connection.info?.max_payload ?? NATS_PAYLOAD_BYTES_MAX) - HEADER_BYTES
    const bytes = encodeMessage('a question to the registry', { v: WIRE_VERSION, ...question }, bytesMax)
    const subject = registrySubject(workspace, operation)
    const nonce = randomBytes(16).toString('base64url')
    const asked = prove({ purpose: 'question', subject, body: bytes, question: nonce })
    asked.set(NONCE_HEADER, nonce)
    let answer: Pick<Msg, 'data' | 'headers'>
    try {
      answer = await connection.request(subject, bytes, { timeout, headers: asked })
    } catch (cause) {
      throw new AppError('unavailable', 'Cannot reach the registry: no edge process answers', {
        cause,
        hint: 'Try again in a moment',
      })
    }
    const statement = {
      purpose: 'answer',
      subject,
      body: answer.data,
      question: `${nonce} ${createHash('sha256').update(bytes).digest('hex')}`,
    } as const
    trust.verify(WHAT, statement, answer.headers?.get(SIGNATURE_HEADER))
    const { refused } = decodeMessage(WHAT, MaybeRefused, answer.data)
    if (refused !== undefined) throw AppError.fromWire(refused)
    return decodeMessage(WHAT, reply, answer.data)
  }

  /** For a question that may be repeated: what a job has done so far shall not be lost to a restart of the edge. */
  async function askPatiently<const S extends v.GenericSchema>(
    operation: RegistryOperation,
    question: Record<string, unknown>,
    reply: S,
  ): Promise<v.InferOutput<S>> {
    const until = Date.now() + PATIENCE_MS
    for (;;) {
      try {
        return await ask(operation, question, reply, ATTEMPT_MS)
      } catch (error) {
        const mayPass = error instanceof AppError && error.code === 'unavailable'
        if (!mayPass || Date.now() + ASK_AGAIN_MS >= until) throw error
        await setTimeout(ASK_AGAIN_MS)
      }
    }
  }

  return {
    claimJob: (job, workerId) => ask('claim_job', { job_id: job, worker_id: workerId }, ClaimJobReply),
    finishJob: async (job, fence, outcome) =>
      (await ask('finish_job', { job_id: job, fence, outcome }, FinishJobReply)).accepted,
    findOver: async (jobs) => (await askPatiently('find_over', { jobs }, FindOverReply)).over,
    findOwners: async (fileKeys) =>
      fileKeys.length === 0
        ? new Map()
        : new Map(Object.entries((await askPatiently('find_owners', { file_keys: fileKeys }, FindOwnersReply)).owners)),
    async *listOwners() {
      for (let after: string | null = null, more = true; more; ) {
        const page: ListOwnersReply = await askPatiently('list_owners', { after }, ListOwnersReply)
        for (const each of page.agents) yield { agentId: each.agent_id, path: each.managed_file, key: each.file_key }
        after = page.agents.at(-1)?.agent_id ?? null
        more = page.more && after !== null
      }
    },
    async take({ jobId, fence }, agent, { keep }) {
      const reply = await askPatiently('take_agent', { job_id: jobId, fence, agent, keep }, TakeAgentReply)
      if (!reply.ok) throw AppError.fromWire(reply.error)
      return { agent: reply.agent, made: reply.made }
    },
    async release({ jobId, fence }, agentId) {
      await askPatiently('release_agent', { job_id: jobId, fence, agent_id: agentId }, ReleaseAgentReply)
    },
  }
}
