import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { AppError } from '#shared/errors.ts'
import type { GitHook } from '../ports/repository.ts'
import type { ProtectedPaths } from '../workspace/protected-paths.ts'
import { parseRepositoryPath, type RepositoryPath } from '../workspace/repository-path.ts'
import type { RepositoryIdentity } from './simple-git-identity.ts'

const NAME = 'pre-commit'
/** Beside a hook lie other hooks and a few helpers. */
const FILES_MAX = 64
const FILE_BYTES_MAX = 1024 * 1024

/**
 * The hook that git would run before a commit, with what lies beside it and may be read; null where there is none that git
 * would run. Throws `unavailable` where the configured folder lies outside of the repository or may not be read, or what lies
 * there is no plain file.
 */
export function readPreCommitHook(
  { root, commonDir }: RepositoryIdentity,
  hooksPath: string | null,
  protectedPaths: ProtectedPaths,
): GitHook | null {
  const own = join(commonDir, 'hooks')
  const named = hooksPath === null || hooksPath === '' ? own : resolve(root, hooksPath)
  const place = lstatSync(named, { throwIfNoEntry: false })
  if (place === undefined) return null
  const real = realpathSync(named)
  const isOwn = real === own
  const fromRoot = relative(root, real)
  if (!isOwn && (fromRoot === '' || fromRoot.startsWith('..') || isAbsolute(fromRoot) || hooksPath?.startsWith('~'))) {
    throw new AppError('unavailable', 'Cannot run the hooks of git: core.hooksPath leads out of the repository', {
      hint: 'Hooks of another place are run by nobody but git itself',
    })
  }
  const hook = lstatSync(join(real, NAME), { throwIfNoEntry: false })
  if (hook === undefined || (hook.isFile() && (hook.mode & 0o100) === 0)) return null
  if (!hook.isFile() || hook.nlink > 1 || hook.size > FILE_BYTES_MAX) {
    throw new AppError('unavailable', 'Cannot run the hooks of git: pre-commit is no plain file, or over a megabyte', {
      hint: 'A person puts the hook itself there, not a link to it',
    })
  }
  const isReadable = (path: string): boolean => protectedPaths.judge(path as RepositoryPath).protection !== 'read-write'
  if (!isOwn && !isReadable(fromRoot)) {
    throw new AppError('unavailable', 'Cannot run the hooks of git: core.hooksPath leads to what may not be read', {
      hint: 'A person moves the hooks to a folder of their own',
    })
  }
  return {
    folder: isOwn ? null : parseRepositoryPath(fromRoot),
    files: readFiles(real, (name) => isReadable(isOwn ? name : `${fromRoot}/${name}`)),
  }
}

function readFiles(folder: string, isReadable: (name: string) => boolean): GitHook['files'] {
  const files = new Map<string, { bytes: Uint8Array; isExecutable: boolean }>()
  const names = readdirSync(folder).filter(
    (name) => /^[\w.-]+$/.test(name) && !name.endsWith('.sample') && isReadable(name),
  )
  for (const name of [NAME, ...names.filter((each) => each !== NAME)].slice(0, FILES_MAX)) {
    const stat = lstatSync(join(folder, name), { throwIfNoEntry: false })
    if (!stat?.isFile() || stat.nlink > 1 || stat.size > FILE_BYTES_MAX) continue
    files.set(name, { bytes: readFileSync(join(folder, name)), isExecutable: (stat.mode & 0o100) !== 0 })
  }
  return files
}
