import * as v from 'valibot'
import { AppError } from '../errors.ts'
import { WorkspaceId } from '../ids.ts'

// Who is between edge and worker can drop a message, hold it back or repeat it; it cannot make one. What a worker acts on, and
// what it asks of the registry, therefore carries an Ed25519 signature, as a header beside the message that it is of:
//
//   Mw-Signature: 1 <public key of the signer> <epoch milliseconds> <signature>
//
// Both sides make the signed bytes themselves (`signedBytes`), of what they sent or got: nothing of them travels twice.

export const SIGNATURE_HEADER = 'Mw-Signature'
/** Of a question: a random word that makes its answer good for this question alone, and by which the question is taken once. */
export const NONCE_HEADER = 'Mw-Nonce'
/** What a nonce is: 128 random bits in base64url. */
export const Nonce = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/))
/** Of a machine that signs for itself: what the edge's key says of it. */
export const CERTIFICATE_HEADER = 'Mw-Certificate'

/**
 * What a signature is for. One for a purpose is worth nothing for another: a call of the edge; a job in the queue; a request to
 * stop one; what a repository worker asks of the registry, outcomes of jobs among it; the registry's answer; what a repository
 * worker says to model workers; what these answer; what the edge says of a machine's key; a machine's key, when it is handed over.
 */
export type SignedPurpose =
  | 'call'
  | 'job'
  | 'cancel'
  | 'question'
  | 'answer'
  | 'model_ask'
  | 'model_answer'
  | 'machine'
  | 'enroll'

export interface Statement {
  readonly purpose: SignedPurpose
  /** As the message travels: it names the workspace, and what is asked for. Of an answer, the question's. */
  readonly subject: string
  readonly body: Uint8Array
  /** Of a question to the registry: its nonce. Of the answer: that nonce, a space, and SHA-256 of the question's bytes in hexadecimal. */
  readonly question?: string
}

const encoder = new TextEncoder()

/** The bytes that are signed. No field holds a line break, so no two statements have the same bytes. */
export function signedBytes(
  { purpose, subject, body, question = '' }: Statement,
  timeMs: number,
): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(`millwright 1\n${purpose}\n${subject}\n${timeMs}\n${question}\n`)
  const bytes = new Uint8Array(head.length + body.length)
  bytes.set(head)
  bytes.set(body, head.length)
  return bytes
}

export interface Signature {
  readonly publicKey: string
  readonly timeMs: number
  readonly signature: string
}

export const formatSignature = ({ publicKey, timeMs, signature }: Signature): string =>
  `1 ${publicKey} ${timeMs} ${signature}`

/** Undefined for what is no signature of this form. */
export function parseSignature(text: string | undefined): Signature | undefined {
  const match = /^1 ([A-Za-z0-9_-]{43}) (\d{1,15}) ([A-Za-z0-9_-]{86})$/.exec(text ?? '')
  if (match === null) return undefined
  const [, publicKey = '', timeMs = '', signature = ''] = match
  return { publicKey, timeMs: Number(timeMs), signature }
}

/** An Ed25519 public key: its 32 bytes in base64url. */
export const PublicKey = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/, 'must be a public key of an edge'))

/** What a machine that was enrolled is for. A repository worker may serve models as well. */
export const MachineRole = v.picklist(['repository', 'model'])
export type MachineRole = v.InferOutput<typeof MachineRole>

/** One word of a subject, and of a file's name. */
export const MachineName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be of lower-case letters, digits and dashes, at most 32'),
)

/** Whose a key is, as the edge says it. */
export const Machine = v.object({
  name: MachineName,
  role: MachineRole,
  /** The one that it serves; `*` for a model worker of all. */
  workspace: v.union([v.literal('*'), WorkspaceId]),
  publicKey: PublicKey,
})
export type Machine = v.InferOutput<typeof Machine>

/** What a machine keeps of its enrolling, readable by its user only. */
export const MachineFile = v.object({
  name: MachineName,
  role: MachineRole,
  workspace: Machine.entries.workspace,
  /** Its own key, as the seed of an nkey: who it is to NATS, and what it signs with. */
  seed: v.pipe(v.string(), v.regex(/^SU[A-Z2-7]{56}$/)),
  /** Of the edge: the one that signs, and while that changes the other one. */
  edge_keys: v.pipe(v.array(PublicKey), v.minLength(1), v.maxLength(2)),
  certificate: v.string(),
  /** Null where the machine is told otherwise where NATS is. */
  nats: v.nullable(v.object({ url: v.string(), authority: v.nullable(v.string()) })),
})
export type MachineFile = v.InferOutput<typeof MachineFile>

/** What the edge signs of a machine. */
export const machineStatement = ({ name, role, workspace, publicKey }: Machine): Statement => ({
  purpose: 'machine',
  subject: `${role} ${workspace} ${name}`,
  body: encoder.encode(publicKey),
})

export const formatCertificate = ({ name, role, workspace, publicKey }: Machine, signature: string): string =>
  `${role} ${workspace} ${name} ${publicKey} ${signature}`

/** Undefined for what is no certificate of this form. Says nothing yet of who signed it. */
export function parseCertificate(text: string | undefined): { machine: Machine; signature: string } | undefined {
  const [role, workspace, name, publicKey, ...signature] = (text ?? '').split(' ')
  const machine = v.safeParse(Machine, { name, role, workspace, publicKey })
  return machine.success ? { machine: machine.output, signature: signature.join(' ') } : undefined
}

/** The one refusal of everything whose origin is not proven. `what` begins a sentence: "the call". */
export const notSigned = (
  what: string,
  why: string,
  hint = 'The worker must know the key of this edge: npm run keys -- edge-key shows it, docs/operations.md has the rest',
): AppError => new AppError('forbidden', `Cannot take ${what}: ${why}`, { hint })
