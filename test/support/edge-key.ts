import { join } from 'node:path'
import { createSigningKey, importSigningKey, lazySigner } from '#functions/adapters/ed25519-signer.ts'
import { readOrCreateSigningKeys } from '#functions/adapters/node/signing-key-file.ts'
import { createEdgeTrust, type EdgeTrust } from '#gpu-worker/adapters/ed25519.ts'

const key = createSigningKey()

/** What signs as the edge, where a test plays it. */
export const testSigner = lazySigner(key)

/** A worker's trust in `testSigner`. */
export const testTrust = createEdgeTrust([(await importSigningKey(key)).publicKey])

/** A worker's trust in the edge of a folder, whose key is made now where there is none yet. */
export async function trustInEdge(folder: string): Promise<EdgeTrust> {
  const keys = readOrCreateSigningKeys(join(folder, 'signing-key'))
  const imported = await Promise.all(keys.map(importSigningKey))
  return createEdgeTrust(imported.map(({ publicKey }) => publicKey))
}
