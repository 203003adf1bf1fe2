import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

const PIECE_BYTES = 4 * 1024 * 1024

/**
 * Size and CRC-32 of a file: finds what was cut or damaged, not what somebody forged, who could change the daemon's memory
 * as well as its private folder. Reads it in pieces, between which the signal is looked at.
 */
export async function readChecksum(path: string, signal?: AbortSignal): Promise<{ bytes: number; checksum: number }> {
  const file = await open(path, 'r')
  try {
    const piece = new Uint8Array(PIECE_BYTES)
    let bytes = 0
    let checksum = 0
    for (;;) {
      signal?.throwIfAborted()
      const { bytesRead } = await file.read(piece, 0, piece.length, bytes)
      if (bytesRead === 0) return { bytes, checksum }
      checksum = crc32(piece.subarray(0, bytesRead), checksum)
      bytes += bytesRead
    }
  } finally {
    await file.close()
  }
}

/** The same for the same tokens of the same engine (model file and context settings), and for nothing else. */
export function nameState(engine: string, tokens: readonly number[]): string {
  const hash = createHash('sha256').update(engine).update('\0').update(Int32Array.from(tokens))
  return `${hash.digest('hex')}.state`
}
