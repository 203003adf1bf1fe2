import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { AppError } from '#shared/errors.ts'

const TOKEN = /^mw_[A-Za-z0-9_-]{43}$/

/**
 * The bearer token of this data folder, made at the first start. The file is private from its first moment and appears
 * whole or not at all; of two processes that start at once, both get the same. Throws `forbidden` where others may have
 * read it: its secret is spent then, and narrowing the mode would only hide that.
 */
export function readOrCreateToken(file: string): string {
  try {
    return readToken(file)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  const handle = openSync(draft, 'wx', 0o600)
  try {
    writeSync(handle, `mw_${randomBytes(32).toString('base64url')}\n`)
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
  return readToken(file)
}

function readToken(file: string): string {
  const { mode } = statSync(file)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new AppError(
      'forbidden',
      `Cannot use the token file: others can read it (mode ${(mode & 0o777).toString(8)}, expected 600)`,
      { hint: `Delete ${file}; the next start makes a new token` },
    )
  }
  const token = readFileSync(file, 'utf8').trim()
  if (!TOKEN.test(token)) {
    throw new AppError('unavailable', 'Cannot use the token file: it does not hold a token', {
      hint: `Delete ${file}; the next start makes a new token`,
    })
  }
  return token
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
