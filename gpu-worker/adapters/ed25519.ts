import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import {
  formatSignature,
  type Machine,
  machineStatement,
  notSigned,
  parseCertificate,
  parseSignature,
  type Statement,
  signedBytes,
} from '#shared/protocol/signature.ts'

/** A signature that was good. */
export interface Proof {
  /** When it was made, by the signer's clock. */
  readonly timeMs: number
}

/** Tells what the edge has signed. */
export interface EdgeTrust {
  /** Throws `forbidden` for a signature that is missing, of another key or of something else. */
  verify(what: string, statement: Statement, signature: string | undefined): Proof
  /** Whose a key is, by the edge's word. Throws as `verify`. */
  verifyMachine(what: string, certificate: string | undefined): Machine
}

// Synchronous on purpose: what came first is judged first, and a hop to another thread costs more than the work.

/** `publicKeys` are 32 bytes each in base64url: the edge's, and while it changes its key the other one. */
export function createEdgeTrust(publicKeys: readonly string[]): EdgeTrust {
  const keys = new Map(publicKeys.map((text) => [text, toPublicKey(text)]))
  const certificates = new Map<string, Machine>()
  const trust: EdgeTrust = {
    verify(what, statement, text) {
      const signature = parseSignature(text)
      if (signature === undefined) throw notSigned(what, 'it is not signed')
      const key = keys.get(signature.publicKey)
      if (key === undefined) throw notSigned(what, 'it is signed with a key that this worker does not know')
      checkSignature(what, statement, signature, key)
      return { timeMs: signature.timeMs }
    },
    verifyMachine(what, text = '') {
      const known = certificates.get(text)
      if (known !== undefined) return known
      const certificate = parseCertificate(text)
      if (certificate === undefined) throw notSigned(what, 'its sender shows no certificate')
      trust.verify(what, machineStatement(certificate.machine), certificate.signature)
      // Only what the edge has signed comes this far, so there are as many as machines.
      certificates.set(text, certificate.machine)
      return certificate.machine
    },
  }
  return trust
}

/** Throws as `EdgeTrust.verify` for what this machine has not signed. */
export function verifyOf(machine: Machine, what: string, statement: Statement, text: string | undefined): Proof {
  const signature = parseSignature(text)
  if (signature?.publicKey !== machine.publicKey) throw notSigned(what, 'it is not signed by its sender')
  checkSignature(what, statement, signature, toPublicKey(machine.publicKey))
  return { timeMs: signature.timeMs }
}

/** A machine's own key. */
export interface MachineSigner {
  readonly publicKey: string
  /** The text of `SIGNATURE_HEADER`. */
  sign(statement: Statement): string
}

/** What stands in front of the 32 bytes of a private key in PKCS#8 (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A signer of a private key of 32 bytes. */
export function createMachineSigner(seed: Uint8Array): MachineSigner {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key).export({ format: 'jwk' }).x ?? ''
  return {
    publicKey,
    sign(statement) {
      const timeMs = Date.now()
      const signature = sign(null, signedBytes(statement, timeMs), key).toString('base64url')
      return formatSignature({ publicKey, timeMs, signature })
    },
  }
}

function checkSignature(
  what: string,
  statement: Statement,
  { timeMs, signature }: NonNullable<ReturnType<typeof parseSignature>>,
  key: KeyObject,
): void {
  if (verify(null, signedBytes(statement, timeMs), key, Buffer.from(signature, 'base64url'))) return
  throw notSigned(what, 'its signature is not of this message')
}

function toPublicKey(text: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: text }, format: 'jwk' })
}
