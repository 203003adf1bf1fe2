import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { headers, nkeys } from '@nats-io/transport-node'
import { AppError } from '#shared/errors.ts'
import { EnrollReply, parseEnrollmentLine } from '#shared/protocol/enroll.ts'
import { decodeMessage, encodeMessage } from '#shared/protocol/envelope.ts'
import { type MachineFile, SIGNATURE_HEADER } from '#shared/protocol/signature.ts'
import { enrollInbox, enrollSubject } from '#shared/protocol/subjects.ts'
import { createEdgeTrust, createMachineSigner } from './ed25519.ts'
import { connectWorker, enrolledNats } from './nats-connection.ts'
import { seedBytes } from './nkey-seed.ts'

const REQUEST_MS = 10_000
const REQUEST_BYTES_MAX = 1024
/** The server takes the new key within a second. */
const ACCEPT_MS = 15_000

/**
 * Enrolls this machine with the line that its edge's owner has made, and keeps the credentials in `file`, readable by this user
 * only. The private key is made here and goes nowhere. Rejects with AppError for a person; then nothing is kept.
 */
export async function enrollMachine(text: string, file: string, signal: AbortSignal): Promise<MachineFile> {
  const line = parseEnrollmentLine(text.trim())
  if (line === undefined) {
    throw new AppError('invalid_input', 'Cannot enroll: this is not the whole line of "npm run keys -- machine NAME"')
  }
  if (existsSync(file)) {
    throw new AppError('already_exists', `Cannot enroll: ${file} holds credentials already`, {
      hint: 'Remove it, or keep the new ones elsewhere with --machine FILE',
    })
  }
  const { name, role, workspace, edge_keys, url, authority } = line
  const pair = nkeys.createUser()
  const seed = new TextDecoder().decode(pair.getSeed())
  const { publicKey } = createMachineSigner(seedBytes(seed))
  const inbox = enrollInbox(name)
  const connection = await connectWorker(
    {
      url,
      ...(authority === null ? {} : { authority }),
      machine: { seed: line.seed, inboxes: { own: inbox, model: inbox } },
    },
    `millwright-enroll-${name}`,
    signal,
  )
  let certificate: string
  try {
    const subject = enrollSubject(name)
    const body = encodeMessage('the key', { public_key: publicKey, user: pair.getPublicKey() }, REQUEST_BYTES_MAX)
    const signed = headers()
    signed.set(SIGNATURE_HEADER, createMachineSigner(seedBytes(line.seed)).sign({ purpose: 'enroll', subject, body }))
    const reply = await connection.request(subject, body, { timeout: REQUEST_MS, headers: signed })
    certificate = decodeMessage('the answer', EnrollReply, reply.data).certificate
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('unavailable', 'Cannot enroll: nobody waits for this machine any more', {
      cause,
      hint: 'Make a new line with npm run keys -- machine NAME, and leave it running until this is done',
    })
  } finally {
    await connection.close()
  }
  const said = createEdgeTrust(edge_keys).verifyMachine('the answer', certificate)
  if (said.publicKey !== publicKey || said.role !== role || said.workspace !== workspace || said.name !== name) {
    throw new AppError('forbidden', 'Cannot enroll: the answer is not about this machine')
  }
  const machine: MachineFile = { name, role, workspace, seed, edge_keys, certificate, nats: { url, authority } }
  await untilAccepted(machine, signal)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(file, `${JSON.stringify(machine, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(file, 0o600)
  return machine
}

/** Resolves when the server lets the machine in by its own key. */
async function untilAccepted(machine: MachineFile, signal: AbortSignal): Promise<void> {
  for (const giveUpAt = Date.now() + ACCEPT_MS; ; await setTimeout(200, undefined, { signal })) {
    try {
      const connection = await connectWorker(enrolledNats(machine), `millwright-enroll-${machine.name}`, signal)
      return await connection.close()
    } catch (error) {
      const mayPass = error instanceof AppError && error.code === 'unauthenticated'
      if (!mayPass || Date.now() > giveUpAt) throw error
    }
  }
}
