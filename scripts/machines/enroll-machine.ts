import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { nkeys } from '@nats-io/nats-core'
import { createMachineSigner, verifyOf } from '#gpu-worker/adapters/ed25519.ts'
import { connectWorker } from '#gpu-worker/adapters/nats-connection.ts'
import { seedBytes, userBytes } from '#gpu-worker/adapters/nkey-seed.ts'
import { AppError } from '#shared/errors.ts'
import { EnrollRequest, formatEnrollmentLine } from '#shared/protocol/enroll.ts'
import { decodeMessage } from '#shared/protocol/envelope.ts'
import { type Machine, SIGNATURE_HEADER } from '#shared/protocol/signature.ts'
import { enrollInbox, enrollSubject } from '#shared/protocol/subjects.ts'
import { ADMIN_INBOX } from '../nats-config.ts'
import { connectNats } from '../nats-connect.ts'
import type { EdgeKeys } from './edge-keys.ts'
import { changeMachines, readMachines } from './machine-store.ts'
import { adminUrl, type NatsPlace } from './nats-place.ts'

export interface Enrolling {
  readonly natsFolder: string
  readonly place: NatsPlace
  readonly edge: EdgeKeys
  readonly machine: Pick<Machine, 'name' | 'role' | 'workspace'>
  /** Where the new machine reaches NATS. */
  readonly url: string
  /** How long the line is good. */
  readonly goodForMs: number
  /** Called with the line, when a machine may use it. */
  readonly onLine: (line: string) => void
  /** Takes the line back. */
  readonly signal: AbortSignal
}

/** The server takes a new key within a second. */
const LET_IN_MS = 15_000

/** Resolves when the server lets in who has the line. */
async function untilLetIn(
  { place, machine, signal }: Enrolling,
  seed: string,
  authority: string | null,
): Promise<void> {
  const inbox = enrollInbox(machine.name)
  const { host, port, secure } = place
  const nats = {
    url: `${secure ? 'tls' : 'nats'}://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    ...(authority === null ? {} : { authority }),
    machine: { seed, inboxes: { own: inbox, model: inbox } },
  }
  for (const giveUpAt = Date.now() + LET_IN_MS; !signal.aborted; await sleep(100)) {
    try {
      const connection = await connectWorker(nats, 'millwright-enrolling', signal)
      return await connection.close()
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'unauthenticated')) throw error
      if (Date.now() > giveUpAt)
        throw new Error('Cannot enroll: the NATS server does not take new keys', { cause: error })
    }
  }
}

/**
 * Makes a line for one new machine and waits until it has been used. Resolves true then, false where the time is over or
 * `signal` has aborted; the line is worthless after either. Rejects for a name that is taken, and where NATS does not answer.
 */
export async function enrollMachine(enrolling: Enrolling): Promise<boolean> {
  const { natsFolder, place, edge, machine, goodForMs, signal } = enrolling
  const { name } = machine
  if (readMachines(natsFolder).machines.some((each) => each.name === name)) {
    throw new Error(`There is a machine "${name}" already; "npm run keys -- revoke-machine ${name}" takes it out`)
  }
  const authorityFile = place.authority_file ?? undefined
  const options = { name: 'millwright-enrolling', inboxPrefix: ADMIN_INBOX, authorityFile }
  const connection = await connectNats(adminUrl(natsFolder, place), options)
  const pair = nkeys.createUser()
  const user = pair.getPublicKey()
  const seed = new TextDecoder().decode(pair.getSeed())
  const lineKey = createMachineSigner(seedBytes(seed)).publicKey
  const subject = enrollSubject(name)
  const dropEnrollment = () =>
    changeMachines(natsFolder, ({ machines, enrollments }) => ({
      machines,
      enrollments: enrollments.filter((each) => each.user !== user),
    }))
  try {
    const { promise: over, resolve: end } = Promise.withResolvers<null>()
    const timer = setTimeout(() => end(null), goodForMs)
    signal.addEventListener('abort', () => end(null), { once: true })
    const messages = connection.subscribe(subject)[Symbol.asyncIterator]()
    await connection.flush()
    changeMachines(natsFolder, ({ machines, enrollments }) => ({
      machines,
      enrollments: [...enrollments, { name, user, expires_at: Date.now() + goodForMs }],
    }))
    const authority = authorityFile === undefined ? null : readFileSync(authorityFile, 'utf8')
    await untilLetIn(enrolling, seed, authority)
    const { url } = enrolling
    enrolling.onLine(
      formatEnrollmentLine({ ...machine, edge_keys: [...edge.publicKeys].slice(0, 2), seed, url, authority }),
    )
    try {
      for (;;) {
        const next = await Promise.race([messages.next(), over])
        if (next === null || next.done === true) return false
        const message = next.value
        try {
          const holder: Machine = { ...machine, publicKey: lineKey }
          const statement = { purpose: 'enroll', subject, body: message.data } as const
          // Whoever is in between can bring a key of their own, but not sign it with the line's.
          verifyOf(holder, 'the key', statement, message.headers?.get(SIGNATURE_HEADER))
          const request = decodeMessage('the key', EnrollRequest, message.data)
          if (Buffer.from(userBytes(request.user)).toString('base64url') !== request.public_key) {
            throw new AppError('forbidden', 'Cannot enroll: the user is not that of the key')
          }
          const certificate = await edge.certify({ ...machine, publicKey: request.public_key })
          message.respond(JSON.stringify({ certificate }))
          await connection.flush()
          changeMachines(natsFolder, ({ machines, enrollments }) => ({
            machines: [...machines, { ...machine, user: request.user, enrolled_at: Date.now() }],
            enrollments,
          }))
          return true
        } catch (error) {
          // What is not signed with the line's key is not heard.
          if (!(error instanceof AppError)) throw error
        }
      }
    } finally {
      clearTimeout(timer)
    }
  } finally {
    dropEnrollment()
    await connection.close()
  }
}
