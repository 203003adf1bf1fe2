import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError } from '#shared/errors.ts'
import { listModelParts, readFingerprint } from './model-file.ts'

const PIECE_BYTES = 4 * 1024 * 1024

/**
 * Makes the check of a model file against the SHA-256 that the configuration names; of a split model, that of its parts one
 * after another. What was found is remembered for as long as the files stay as they are (inode, size, time), so that a
 * restart of the model's process does not read gigabytes again.
 *
 * The check refuses with AppError `model_unavailable`, naming both; `details.file` is `damaged`. It rejects with the
 * signal's reason where that is aborted.
 */
export function createDigestCheck(expected: string): (path: string, signal: AbortSignal) => Promise<void> {
  let known: { fingerprint: string; found: string } | null = null
  return async (path, signal) => {
    const parts = listModelParts(path)
    const fingerprint = await fingerprintOf(parts)
    if (known?.fingerprint !== fingerprint) {
      const found = await readDigest(parts, signal)
      if ((await fingerprintOf(parts)) !== fingerprint) throw refusal(path, 'it changed while it was read', {})
      known = { fingerprint, found }
    }
    const { found } = known
    if (found !== expected) {
      throw refusal(path, `its SHA-256 is ${found}, expected is ${expected}`, { expected, found })
    }
  }
}

async function fingerprintOf(parts: readonly string[]): Promise<string> {
  return (await Promise.all(parts.map(readFingerprint))).join(' ')
}

async function readDigest(parts: readonly string[], signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const piece = new Uint8Array(PIECE_BYTES)
  for (const part of parts) {
    const file = await open(part, 'r')
    try {
      for (;;) {
        signal.throwIfAborted()
        const { bytesRead } = await file.read(piece, 0, piece.length)
        if (bytesRead === 0) break
        hash.update(piece.subarray(0, bytesRead))
      }
    } finally {
      await file.close()
    }
  }
  return hash.digest('hex')
}

function refusal(path: string, why: string, details: Record<string, string>): AppError {
  return new AppError('model_unavailable', `Cannot load "${basename(path)}": ${why}`, {
    hint: 'Delete the file and get it again from where its hash was published, or correct "#sha256=" in --model',
    details: { file: 'damaged', ...details },
  })
}
