import { wrongKey } from './settings-values.ts'

/** Paths of the repository by their file names, for looking up what must exist. */
export type PathsByName = ReadonlyMap<string, readonly string[]>

export const toPathsByName = (paths: readonly string[]): PathsByName =>
  Map.groupBy(paths, (path) => path.slice(path.lastIndexOf('/') + 1))

/** A place where the companion of a file may be. */
export interface NeededPath {
  /** The place for one file, for a message: `test/**` + `/user.test.ts`. */
  show(file: string): string
  /** Whether something is there. */
  isThere(file: string, paths: PathsByName): boolean
}

const PLACEHOLDER = /\{([^{}]*)\}/g
const known: ReadonlySet<string> = new Set(['dir', 'sub', 'name', 'ext'])

/**
 * Reads a place such as `test/{sub}/{name}.test.{ext}`. `**` stands for any folders, also for none, and only as a whole part;
 * the rest is taken as it is written. Throws `invalid_input`, naming the key.
 */
export function createNeededPath(place: string, key: string): NeededPath {
  for (const [whole, name] of place.matchAll(PLACEHOLDER))
    if (name === undefined || !known.has(name))
      throw wrongKey(key, `${whole} is none of {dir}, {sub}, {name} and {ext}`)
  const parts = place.split('/')
  if (parts.some((part) => part !== '**' && /[*?[\]]/.test(part)))
    throw wrongKey(key, 'only ** as a whole folder stands for others')
  if (parts.at(-1) === '**' || place.startsWith('/') || parts.includes('..'))
    throw wrongKey(key, 'must be the path of a file in the repository')
  const show = (file: string): string => fill(place, file)
  return {
    show,
    isThere(file, paths) {
      const wanted = show(file).split('/')
      const candidates = paths.get(wanted.at(-1) ?? '') ?? []
      return candidates.some((candidate) => candidate !== file && matchesParts(candidate.split('/'), wanted))
    },
  }
}

function fill(place: string, file: string): string {
  const slash = file.lastIndexOf('/')
  const base = file.slice(slash + 1)
  const dot = base.lastIndexOf('.')
  const dir = slash === -1 ? '' : file.slice(0, slash)
  const values: Record<string, string> = {
    dir,
    sub: dir.split('/').slice(1).join('/'),
    name: dot > 0 ? base.slice(0, dot) : base,
    ext: dot > 0 ? base.slice(dot + 1) : '',
  }
  const path = place.replace(PLACEHOLDER, (whole, name: string) => values[name] ?? whole)
  // A file at the top has no folder, and `.` is none either.
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
}

/** Compares part by part; of `wanted`, `**` takes any number. Each part is looked at once per `**`. */
function matchesParts(path: readonly string[], wanted: readonly string[]): boolean {
  let at = 0
  let star: { readonly wanted: number; path: number } | null = null
  for (let index = 0; index < path.length; ) {
    if (wanted[at] === '**') star = { wanted: ++at, path: index }
    else if (wanted[at] === path[index]) {
      at++
      index++
    } else if (star !== null) {
      at = star.wanted
      index = ++star.path
    } else return false
  }
  return at === wanted.length
}
