import * as v from 'valibot'
import { Sha256 } from '../ids.ts'
import { ChatOutcome, chatWithAgent } from '../tools/agents.ts'

/** What a proposal is made of: exact bytes, kept in git's object store, and the version of the file they were made for. */
export const Proposal = v.strictObject({
  path: v.string(),
  blob: v.string(),
  sha256: Sha256,
  /** Null where the file did not exist. */
  base_sha256: v.nullable(Sha256),
})
export type Proposal = v.InferOutput<typeof Proposal>

/** A chat job's arguments as the registry keeps them: the tool's own, and the proposal that `accept` names. */
export const ChatJobArgs = v.strictObject({
  ...chatWithAgent.input.entries,
  proposal: v.optional(Proposal),
})
export type ChatJobArgs = v.InferOutput<typeof ChatJobArgs>

/** A chat job's result as the registry keeps it. Callers see the ChatOutcome in it. */
export const ChatJobResult = v.strictObject({ ...ChatOutcome.entries, proposal: v.optional(Proposal) })
export type ChatJobResult = v.InferOutput<typeof ChatJobResult>
