import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { AppError } from '#shared/errors.ts'
import { createSigningKey } from '../ed25519-signer.ts'

/**
 * The edge's private keys in this data folder: the first signs, a second one is the next or the last. Made at the first start;
 * private from its first moment, whole or not there at all, and the same for two processes that start at once. Throws
 * `forbidden` where others may have read it, `unavailable` where it holds something else.
 */
export function readOrCreateSigningKeys(file: string): readonly [string, ...string[]] {
  try {
    return readSigningKeys(file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  const handle = openSync(draft, 'wx', 0o600)
  try {
    writeSync(handle, `${createSigningKey()}\n`)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  try {
    // Unlike a rename, a link never replaces what another process has put there meanwhile.
    linkSync(draft, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(draft)
  }
  return readSigningKeys(file)
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
