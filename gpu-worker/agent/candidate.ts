import { fileKind } from '../gates/file-kind.ts'
import { guardFailures, keepShape } from './guards.ts'
import type { Failure } from './prompt.ts'
import { parseReply } from './reply.ts'

/** The task that a reply answers. */
export interface CandidateRequest {
  readonly path: string
  /** Null where there is no file yet. */
  readonly before: string | null
  readonly message: string
}

export interface Candidate {
  /** The file, in the shape of the one that it replaces; null where the reply holds none. */
  readonly text: string | null
  readonly prose: string
  /** Why it cannot be taken, as lines for the model. Empty: the checks may look at it. */
  readonly failures: readonly Failure[]
  /** Failures of the text as the model can find them in its reply; left out where the reply is the text. */
  readonly tell?: (failures: readonly Failure[]) => Failure[]
}

/** Finds the file in a model's reply and judges it by what needs no parser. */
export function readCandidate(
  reply: { readonly text: string; readonly stopReason: 'end' | 'length' },
  { path, before, message }: CandidateRequest,
): Candidate {
  const found = parseReply(reply.text, path)
  const isCut = reply.stopReason === 'length'
  if (found.kind === 'fault') {
    return nothing(isCut ? TOO_LONG : { rule: found.fault, message: found.message, line: null })
  }
  // In Markdown a bare fence of the file's own looks like the end; only at the very end is it known to be.
  if (isCut && fileKind(path).name === 'markdown' && !endsWithFence(reply.text)) return nothing(TOO_LONG)
  const text = keepShape(found.text, before)
  return { text, prose: found.prose, failures: guardFailures({ path, before, text, message }) }
}

const endsWithFence = (text: string): boolean => /(?:`{3}|~{3})$/.test(text.trimEnd().slice(-3))

export const TOO_LONG: Failure = {
  rule: 'answer_length',
  message: 'The answer was cut off because it was too long: write a shorter file',
  line: null,
}

const nothing = (failure: Failure): Candidate => ({ text: null, prose: '', failures: [failure] })
