import {
  accessSync,
  constants,
  copyFileSync,
  type Dirent,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

/** Copying a small file is quicker than a mount, and mounts get slower the more there are. */
const COPIED_BYTES_MAX = 256 * 1024

export interface Shadow {
  /** The folder that takes the place of the real one. */
  readonly source: string
  /** Names in it that must be bound from the real one. */
  readonly bound: readonly string[]
}

/**
 * A stand-in for a folder of a repository that is mounted read-only, so that something new can appear in it: small files
 * are copied, links made again, larger files and folders left empty for the real ones to be bound over. `isHidden` tells
 * what is to appear empty.
 */
export function makeShadow(folder: string, source: string, isHidden: (name: string) => boolean): Shadow {
  mkdirSync(source, { recursive: true })
  const bound: string[] = []
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const copy = join(source, entry.name)
    if (isHidden(entry.name)) makeEmpty(entry, copy)
    else if (standIn(entry, join(folder, entry.name), copy)) bound.push(entry.name)
  }
  return { source, bound }
}

function makeEmpty(entry: Dirent, copy: string): void {
  if (entry.isDirectory()) mkdirSync(copy)
  else writeFileSync(copy, '')
}

/** Whether the real one is to be bound over what was made. */
function standIn(entry: Dirent, real: string, copy: string): boolean {
  if (entry.isSymbolicLink()) {
    symlinkSync(readlinkSync(real), copy)
    return false
  }
  if (entry.isDirectory()) {
    mkdirSync(copy)
    return true
  }
  if (!entry.isFile()) return false
  const size = lstatSync(real, { throwIfNoEntry: false })?.size
  // Gone meanwhile, or of a name that is not UTF-8.
  if (size === undefined) return false
  const isBound = size > COPIED_BYTES_MAX || !isReadable(real)
  if (isBound) writeFileSync(copy, '')
  else copyFileSync(real, copy, constants.COPYFILE_FICLONE)
  return isBound
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK)
    return true
  } catch {
    return false
  }
}
