import { existsSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { isExecutable } from './bubblewrap-probe.ts'

/** Where the repository's own installations keep their programs. */
const OWN_FOLDERS = ['node_modules/.bin', '.venv/bin', 'venv/bin'] as const

/** The search path of a command: the repository's own installations first, as in a developer's shell. */
export const commandPath = (root: string, folders: readonly string[]): string[] => [
  ...OWN_FOLDERS.map((folder) => join(root, folder)),
  ...folders,
]

/**
 * Why a program cannot be found on this search path, or lies outside the folders that are shown; null where it can be
 * started.
 */
export function programObstacle(
  program: string,
  root: string,
  searchPath: readonly string[],
  shown: readonly string[],
): string | null {
  const places = program.includes('/')
    ? [isAbsolute(program) ? program : join(root, program)]
    : searchPath.map((folder) => join(folder, program))
  const found = places.find((place) => isExecutable(place))
  if (found === undefined) return `the program ${program} was not found: install it in the repository or on the system`
  if (isWithin(found, shown) && isWithin(linkTarget(found), shown)) return null
  return `the program ${program} leads to a folder that the sandbox does not show: the operator names it in MILLWRIGHT_COMMAND_FOLDERS`
}

const linkTarget = (path: string): string => (existsSync(path) ? realpathSync(path) : path)

const isWithin = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => {
    const from = relative(folder, path)
    return from !== '' && !from.startsWith('..') && !isAbsolute(from)
  }) || folders.includes(dirname(path))
