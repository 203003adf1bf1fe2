import { chmodSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { AppError } from '#shared/errors.ts'
import type { Candidate } from '../ports/command-runner.ts'
import { makeShadow } from './bubblewrap-shadow.ts'
import { findPlace, refuseScratchFolders } from './command-place.ts'
import type { HiddenPath } from './hidden-paths.ts'

/** Each takes a mount, and mounts get slower the more there are: 200 take a tenth of a second, 1,000 a second or more. */
const MASKS_MAX = 2000
const SCRATCH_BYTES_MAX = 512 * 1024 * 1024

export interface ViewOptions {
  /** Absolute; the repository is seen at the same path inside. */
  readonly root: string
  readonly hidden: readonly HiddenPath[]
  readonly candidates: readonly Candidate[]
  readonly scratchFolders: readonly string[]
  /** An empty folder of our own outside the repository. */
  readonly work: string
}

/**
 * Arguments for bwrap that show the repository read-only, with the candidates in their places, what nobody may read empty, and
 * the scratch folders writable. Later mounts go over earlier ones. Nothing of the repository is written to.
 */
export function repositoryView({ root, hidden, candidates, scratchFolders, work }: ViewOptions): string[] {
  if (hidden.length > MASKS_MAX) {
    throw new AppError(
      'unavailable',
      `Cannot run a command: the repository holds ${hidden.length} protected files, limit ${MASKS_MAX}`,
      { hint: 'Remove the keys and .env files that lie in dependency folders, or allow them by name' },
    )
  }
  refuseScratchFolders(root, scratchFolders, new Set(hidden.map(({ path }) => path)))
  const placed = candidates.map((candidate) => ({ candidate, nearest: nearestFolder(root, candidate.path) }))
  const missing = scratchFolders.map((path) => ({ path, nearest: nearestFolder(root, path) }))
  const standIns = [...placed, ...missing].flatMap(({ nearest }) => (nearest === null ? [] : [nearest]))
  const shadows = shadowed(root, standIns, hidden, work)

  const args = ['--ro-bind', root, root]
  for (const { folder, source, bound } of shadows) {
    for (const { candidate, nearest } of placed) {
      if (nearest === folder) writeNew(source, folder, candidate)
    }
    for (const { path, nearest } of missing) {
      if (nearest === folder) mkdirSync(join(source, relative(folder, path)), { recursive: true })
    }
    args.push('--ro-bind', source, join(root, folder))
    for (const name of bound) args.push('--ro-bind', join(root, folder, name), join(root, folder, name))
  }
  args.push(...masks(root, hidden, new Set(shadows.map(({ folder }) => folder)), work))
  for (const [index, { candidate, nearest }] of placed.entries()) {
    if (nearest === null)
      args.push('--ro-bind', writeOver(root, candidate, join(work, `candidate-${index}`)), join(root, candidate.path))
  }
  for (const folder of scratchFolders) args.push('--size', String(SCRATCH_BYTES_MAX), '--tmpfs', join(root, folder))
  return args
}

/** Outer folders first, since a stand-in brings the real inner ones. */
function shadowed(root: string, standIns: readonly string[], hidden: readonly HiddenPath[], work: string) {
  const folders = [...new Set(standIns)].sort((a, b) => a.length - b.length)
  const isHidden = new Set(hidden.map(({ path }) => path))
  return folders.map((folder, index) => {
    const isHiddenHere = (name: string): boolean => isHidden.has(folder === '' ? name : `${folder}/${name}`)
    return { folder, ...makeShadow(join(root, folder), join(work, `shadow-${index}`), isHiddenHere) }
  })
}

/** The folder in which something missing is to appear; null where it is there. Throws `unavailable` for what has no such folder. */
function nearestFolder(root: string, path: string): string | null {
  const place = findPlace(root, path)
  if (place.kind === 'missing') return place.nearest
  if (place.kind !== 'blocked') return null
  throw new AppError('unavailable', `Cannot run a command: ${path} lies behind ${place.by}, which is a link or a file`)
}

function writeNew(source: string, folder: string, { path, text }: Candidate): void {
  const file = join(source, relative(folder, path))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** The text in a file of its own, with the mode of the one whose place it takes. */
function writeOver(root: string, { path, text }: Candidate, file: string): string {
  writeFileSync(file, text)
  chmodSync(file, lstatSync(join(root, path)).mode & 0o777)
  return file
}

function masks(root: string, hidden: readonly HiddenPath[], shadows: ReadonlySet<string>, work: string): string[] {
  const empty = join(work, 'empty')
  writeFileSync(empty, '')
  return hidden.flatMap(({ path, kind }) => {
    const parent = dirname(path)
    // A stand-in has it empty already.
    if (shadows.has(parent === '.' ? '' : parent)) return []
    const place = join(root, path)
    if (kind === 'file') return ['--ro-bind', empty, place]
    return ['--size', '4096', '--tmpfs', place, '--remount-ro', place]
  })
}
