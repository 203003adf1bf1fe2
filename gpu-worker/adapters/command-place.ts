import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '#shared/errors.ts'

/** What stands at a repository path, no link on the way followed. */
export type Place =
  | { readonly kind: 'folder' | 'other' }
  /** `nearest` is the folder above it that is there; `''` for the top. */
  | { readonly kind: 'missing'; readonly nearest: string }
  /** `by` is what stands on the way and is no folder. */
  | { readonly kind: 'blocked'; readonly by: string }

/** Throws as `lstat` does where a folder on the way may not be entered. */
export function findPlace(root: string, path: string): Place {
  const names = path.split('/')
  let nearest = ''
  for (const index of names.keys()) {
    const here = names.slice(0, index + 1).join('/')
    const stat = lstatSync(join(root, here), { throwIfNoEntry: false })
    if (stat === undefined) return { kind: 'missing', nearest }
    if (index === names.length - 1) return { kind: stat.isDirectory() ? 'folder' : 'other' }
    if (!stat.isDirectory()) return { kind: 'blocked', by: here }
    nearest = here
  }
  return { kind: 'folder' }
}

/**
 * Refuses scratch folders through which a command would get at what it may not see: behind a link, or in what is hidden.
 * They come from the repository's own configuration, which may be anybody's. Throws `unavailable`.
 */
export function refuseScratchFolders(root: string, folders: readonly string[], hidden: ReadonlySet<string>): void {
  for (const folder of folders) {
    const reason = reasonToRefuse(root, folder, hidden)
    if (reason === null) continue
    throw new AppError('unavailable', `Cannot run a command: the scratch folder ${folder} ${reason}`, {
      hint: 'A person names another one in millwright.json',
    })
  }
}

function reasonToRefuse(root: string, folder: string, hidden: ReadonlySet<string>): string | null {
  const names = folder.split('/')
  const isHidden = names.some((_name, index) => hidden.has(names.slice(0, index + 1).join('/')))
  if (isHidden) return 'is protected, or lies in what is'
  const place = findPlace(root, folder)
  if (place.kind === 'blocked') return `lies behind ${place.by}, which is a link or a file`
  return place.kind === 'other' ? 'is a link or a file' : null
}
