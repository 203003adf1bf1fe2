import { nameOf } from './folders.ts'

/** The repository as a run will find it. */
export interface RunView {
  /** Paths of all files that git does not ignore, sorted. */
  readonly paths: readonly string[]
  /** Null for what is not there or cannot be read. */
  read(path: string): Promise<string | null>
  /** Also for what git ignores, and for links that lead out of the repository. */
  exists(path: string): Promise<boolean>
}

/** Files of one kind that are looked into: more than the packages of a large monorepo. */
const NAMED_MAX = 500

/** The files with these names, those nearest to the top first. */
export const named = (view: RunView, ...names: string[]): string[] =>
  view.paths
    .filter((path) => names.includes(nameOf(path)))
    .map((path) => ({ path, depth: path.split('/').length }))
    .sort((a, b) => a.depth - b.depth)
    .slice(0, NAMED_MAX)
    .map(({ path }) => path)
