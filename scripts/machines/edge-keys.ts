import { importSigningKey, lazySigner } from '#functions/adapters/ed25519-signer.ts'
import { readOrCreateSigningKeys } from '#functions/adapters/node/signing-key-file.ts'
import { formatCertificate, type Machine, machineStatement } from '#shared/protocol/signature.ts'

/** The edge's keys, as far as others are told of them. */
export interface EdgeKeys {
  /** Public halves; the first is of the key that signs. */
  readonly publicKeys: readonly string[]
  /** What the edge says of a machine's key, signed. */
  certify(machine: Machine): Promise<string>
}

/** Those of a file, made where it is missing. Throws as `readOrCreateSigningKeys`. */
export const readEdgeKeys = async (file: string): Promise<EdgeKeys> => toEdgeKeys(readOrCreateSigningKeys(file))

/** Those of private keys, the one that signs first. */
export async function toEdgeKeys(keys: readonly [string, ...string[]]): Promise<EdgeKeys> {
  const signer = lazySigner(keys[0])
  return {
    publicKeys: (await Promise.all(keys.map(importSigningKey))).map(({ publicKey }) => publicKey),
    certify: async (machine) => formatCertificate(machine, await signer.sign(machineStatement(machine))),
  }
}
