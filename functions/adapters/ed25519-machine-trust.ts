import {
  type Machine,
  machineStatement,
  notSigned,
  parseCertificate,
  parseSignature,
  type Signature,
  type Statement,
  signedBytes,
} from '#shared/protocol/signature.ts'
import { fromBase64Url } from '../crypto.ts'
import type { MachineTrust } from '../ports/machine-trust.ts'
import { importSigningKey } from './ed25519-signer.ts'

type VerifyingKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

const HINT = 'Enroll the machine at this edge, for this workspace: npm run keys -- machine NAME, docs/operations.md'

/**
 * Trust in machines that were certified with one of these private keys: the one that signs, and while that changes the other
 * one. They are read when the first message comes, where nothing can be waited for before.
 */
export function createMachineTrust(privateKeys: readonly string[]): MachineTrust {
  let own: Promise<ReadonlyMap<string, VerifyingKey>> | undefined
  const known = new Map<string, { readonly machine: Machine; readonly key: VerifyingKey }>()

  async function certified(what: string, text = '') {
    const before = known.get(text)
    if (before !== undefined) return before
    const certificate = parseCertificate(text)
    if (certificate === undefined) throw notSigned(what, 'its sender shows no certificate', HINT)
    const { machine } = certificate
    const signature = parseSignature(certificate.signature)
    own ??= importOwn(privateKeys)
    const key = signature === undefined ? undefined : (await own).get(signature.publicKey)
    if (signature === undefined || key === undefined || !(await isGood(machineStatement(machine), signature, key))) {
      throw notSigned(what, 'its sender shows a certificate that this edge has not given', HINT)
    }
    const found = { machine, key: await toVerifyingKey(machine.publicKey) }
    // Only what this edge has signed comes so far, so there are as many as machines.
    known.set(text, found)
    return found
  }

  return {
    async verify(what, statement, headers) {
      const signature = parseSignature(headers.signature)
      if (signature === undefined) throw notSigned(what, 'it is not signed', HINT)
      const { machine, key } = await certified(what, headers.certificate)
      if (signature.publicKey !== machine.publicKey) throw notSigned(what, 'it is not signed by its sender', HINT)
      if (!(await isGood(statement, signature, key))) {
        throw notSigned(what, 'its signature is not of this message', HINT)
      }
      return { machine, timeMs: signature.timeMs }
    },
  }
}

async function importOwn(privateKeys: readonly string[]): Promise<ReadonlyMap<string, VerifyingKey>> {
  const all = privateKeys.map(async (privateKey) => {
    const { publicKey } = await importSigningKey(privateKey)
    return [publicKey, await toVerifyingKey(publicKey)] as const
  })
  return new Map(await Promise.all(all))
}

const toVerifyingKey = (publicKey: string): Promise<VerifyingKey> =>
  crypto.subtle.importKey('raw', fromBase64Url(publicKey) ?? new Uint8Array(), 'Ed25519', false, ['verify'])

async function isGood(statement: Statement, { timeMs, signature }: Signature, key: VerifyingKey): Promise<boolean> {
  const bytes = fromBase64Url(signature)
  return bytes !== undefined && crypto.subtle.verify('Ed25519', key, bytes, signedBytes(statement, timeMs))
}
