import * as v from 'valibot'
import { Machine, MachineFile, PublicKey } from './signature.ts'

// How a new machine gets its credentials. The owner carries a line to it; the machine makes its key, and hands the public half
// over by NATS, signed with the key of the line; the answer is the edge's certificate, which it checks with the line's keys.

const PREFIX = 'mwe_'

/** What the line holds. Whoever has it, while it is good, may enroll a machine under this name. */
export const EnrollmentLine = v.object({
  name: Machine.entries.name,
  role: Machine.entries.role,
  workspace: Machine.entries.workspace,
  edge_keys: MachineFile.entries.edge_keys,
  /** Of a key that is good for this once, as the seed of an nkey. */
  seed: MachineFile.entries.seed,
  /** Where NATS is, as the new machine reaches it. */
  url: v.pipe(v.string(), v.regex(/^(nats|tls|wss?):\/\/\S+$/)),
  /** What its certificate must come from, as PEM; null where the system trusts it. */
  authority: v.nullable(v.string()),
})
export type EnrollmentLine = v.InferOutput<typeof EnrollmentLine>

export const formatEnrollmentLine = (line: EnrollmentLine): string =>
  `${PREFIX}${btoa(JSON.stringify(line)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`

/** Undefined for what is no such line, or not the whole of one. */
export function parseEnrollmentLine(text: string): EnrollmentLine | undefined {
  if (!text.startsWith(PREFIX)) return undefined
  try {
    const json: unknown = JSON.parse(atob(text.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/')))
    const parsed = v.safeParse(EnrollmentLine, json)
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

/** The public half of the machine's key, as it signs, and as an nkey. */
export const EnrollRequest = v.object({
  public_key: PublicKey,
  user: v.pipe(v.string(), v.regex(/^U[A-Z2-7]{55}$/)),
})

export const EnrollReply = v.object({ certificate: v.string() })
