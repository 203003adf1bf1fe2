import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { AppError } from '#shared/errors.ts'
import { readOrCreateOnce } from './read-or-create-once.ts'

const TOKEN = /^mw_[A-Za-z0-9_-]{43}$/

/**
 * The bearer token of this data folder, made at the first start. The file is private from its first moment and appears
 * whole or not at all; of two processes that start at once, both get the same. Throws `forbidden` where others may have
 * read it: its secret is spent then, and narrowing the mode would only hide that.
 */
export function readOrCreateToken(file: string): string {
  return readOrCreateOnce(
    file,
    () => readToken(file),
    () => `mw_${randomBytes(32).toString('base64url')}`,
  )
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
