import { readFileSync, statSync } from 'node:fs'
import { AppError } from '#shared/errors.ts'
import { createSigningKey } from '../ed25519-signer.ts'
import { readOrCreateOnce } from './read-or-create-once.ts'

/**
 * The edge's private keys in this data folder: the first signs, a second one is the next or the last. Made at the first start;
 * private from its first moment, whole or not there at all, and the same for two processes that start at once. Throws
 * `forbidden` where others may have read it, `unavailable` where it holds something else.
 */
export function readOrCreateSigningKeys(file: string): readonly [string, ...string[]] {
  return readOrCreateOnce(file, () => readSigningKeys(file), createSigningKey)
}

function readSigningKeys(file: string): readonly [string, ...string[]] {
  const hint = `Delete ${file}; the next start makes a new key, which workers on other machines must be told`
  const { mode } = statSync(file)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new AppError('forbidden', 'Cannot use the signing key: others can read its file', { hint })
  }
  const [first, ...more] = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  if (first === undefined || [first, ...more].some((line) => !/^[A-Za-z0-9_-]{43}$/.test(line))) {
    throw new AppError('unavailable', 'Cannot use the signing key: its file does not hold one', { hint })
  }
  return [first, ...more]
}
