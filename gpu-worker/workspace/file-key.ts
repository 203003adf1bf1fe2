import type { RepositoryPath } from './repository-path.ts'

/**
 * A name as it is compared: equal for spellings that are one file. Unicode forms always fold; letter case where the
 * file system folds it. Folds a little more than any file system does (`ß` and `ss` are one): two files that share a
 * key can only be kept apart less well, never one file be owned twice.
 */
export function foldName(name: string, foldsCase: boolean): string {
  const folded = foldsCase ? name.normalize('NFD').toUpperCase().toLowerCase() : name
  return folded.normalize('NFC')
}

/** The key of a canonical path: what ownership and locks go by. */
export const fileKey = (path: RepositoryPath, foldsCase: boolean): string => foldName(path, foldsCase)
