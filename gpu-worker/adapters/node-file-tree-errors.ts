import { AppError, type ErrorCode } from '#shared/errors.ts'

interface Meaning {
  readonly code: ErrorCode
  readonly reason: string
  readonly hint: string
}

const again = 'Something else is changing these files: look at them, then call again'
const ownersSide = 'The owner of the machine has to change that; nothing was changed'

const meanings: Readonly<Record<string, Meaning>> = {
  ENOENT: { code: 'not_found', reason: 'no such file', hint: 'list_files shows what there is' },
  ENOTDIR: { code: 'invalid_input', reason: 'a file stands where a folder is meant', hint: 'Choose another path' },
  EISDIR: { code: 'invalid_input', reason: 'a folder, not a file', hint: 'Give the path of a file' },
  ENAMETOOLONG: {
    code: 'invalid_input',
    reason: 'the path is too long for the file system',
    hint: 'Choose a shorter path',
  },
  EILSEQ: { code: 'invalid_input', reason: 'the file system does not take this name', hint: 'Choose another name' },
  EINVAL: { code: 'invalid_input', reason: 'the file system does not take this name', hint: 'Choose another name' },
  ENXIO: { code: 'invalid_input', reason: 'not a regular file', hint: 'Give the path of a regular file' },
  ELOOP: { code: 'conflict', reason: 'a link took its place meanwhile', hint: again },
  EEXIST: { code: 'conflict', reason: 'something took its place meanwhile', hint: again },
  ESTALE: { code: 'conflict', reason: 'it was replaced meanwhile', hint: again },
  ENOSPC: {
    code: 'disk_full',
    reason: 'no space left on the disk; everything is as it was',
    hint: 'Free space, then call again',
  },
  EDQUOT: {
    code: 'disk_full',
    reason: 'the disk quota is used up; everything is as it was',
    hint: 'Free space, then call again',
  },
  EFBIG: { code: 'too_large', reason: 'larger than the file system allows', hint: 'Write a smaller file' },
  EACCES: { code: 'unavailable', reason: 'the file system denies this server access', hint: ownersSide },
  EPERM: { code: 'unavailable', reason: 'the file system denies this server access', hint: ownersSide },
  EROFS: { code: 'unavailable', reason: 'the file system is read-only', hint: ownersSide },
  EMFILE: { code: 'busy', reason: 'too many files are open', hint: 'Call again in a moment' },
  ENFILE: { code: 'busy', reason: 'too many files are open', hint: 'Call again in a moment' },
  EBUSY: { code: 'busy', reason: 'the file system says it is busy', hint: 'Call again in a moment' },
  EIO: { code: 'unavailable', reason: 'the disk reports an error', hint: ownersSide },
}

/** The error code of the operating system, or an empty string. */
export function errnoOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

/** A refusal for what the operating system said. An AppError, and what is no system error, pass as they are. */
export function toFileError(error: unknown, action: string): unknown {
  if (error instanceof AppError) return error
  const meaning = meanings[errnoOf(error)]
  if (meaning === undefined) return error
  // The system's own message names an absolute path; it stays in the cause, which never crosses the wire.
  return new AppError(meaning.code, `${action}: ${meaning.reason}`, { hint: meaning.hint, cause: error })
}
