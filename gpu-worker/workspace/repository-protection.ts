import { AppError } from '#shared/errors.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { showPath } from './repository-path.ts'

/** What the repository's own rules say of a path that is to be written; see docs/security.md. */
export type RepositoryProtection = (path: string) => Promise<'free' | 'protected' | 'unknown'>

/**
 * The same files, but what the repository protects is refused for writing with `protected_path`, by whichever way it comes:
 * when a path is resolved, and once more right before bytes are written or removed, for rules may have changed meanwhile.
 * Where the rules cannot be read nothing is written or removed; checks say so earlier, and better.
 */
export function createProtectedFileTree(files: FileTree, protection: RepositoryProtection): FileTree {
  async function judge(action: string, path: string, isLast: boolean): Promise<void> {
    const verdict = await protection(path)
    if (verdict === 'protected') {
      throw new AppError('protected_path', `Cannot ${action} ${showPath(path)}: the repository protects it`, {
        hint: 'Choose another file; a person can take it out of protected_paths in millwright.json',
      })
    }
    if (verdict === 'unknown' && isLast) {
      throw new AppError(
        'protected_path',
        `Cannot ${action} ${showPath(path)}: millwright.json is wrong, so nobody can tell what it protects`,
        { hint: 'Tell a person to mend millwright.json; get_server_info says what is wrong with it' },
      )
    }
  }

  return {
    async resolve(text, use) {
      const file = await files.resolve(text, use)
      if (use === 'write') await judge('write', file.path, false)
      return file
    },
    read: (text, bytesMax) => files.read(text, bytesMax),
    walk: (text, after) => files.walk(text, after),
    sweep: () => files.sweep(),
    async write(file, bytes, expectedSha256) {
      await judge('write', file.path, true)
      await files.write(file, bytes, expectedSha256)
    },
    async remove(file, expectedSha256) {
      await judge('delete', file.path, true)
      await files.remove(file, expectedSha256)
    },
  }
}
