export interface ReadFile {
  readonly path: string
  readonly text: string
}

/** File names that stand for their folder. */
const folderNames = new Set(['__init__', '__main__', 'index', 'mod', 'lib', 'main', 'package-info'])
/** Languages in which the files of one folder see each other without an import. */
const sharesFolder = /\.(?:go|java|c|h|cc|cpp|cxx|hpp|hh|hxx|rs)$/

/**
 * The pairs of files of which one may import the other, each pair once. A file may import another where its text holds the name
 * by which the other is imported, in an import or not: what is taken for neighbours and is not only costs time, since
 * neighbours are not worked on at the same time.
 */
export function findNeighbours(files: readonly ReadFile[]): [string, string][] {
  const words = new Map(files.map(({ path, text }) => [path, new Set(text.match(/[\p{L}\p{N}_$-]+/gu))]))
  const mayImport = (from: string, to: string): boolean =>
    (sharesFolder.test(from) && folderOf(from) === folderOf(to)) ||
    namesOf(to).some((name) => words.get(from)?.has(name) === true)
  const pairs: [string, string][] = []
  for (const [index, { path }] of files.entries()) {
    for (const { path: other } of files.slice(index + 1)) {
      if (mayImport(path, other) || mayImport(other, path)) pairs.push([path, other])
    }
  }
  return pairs
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1)

/** What an import calls a file: its name without the ending, or for the files that stand for a folder the folder's. */
function namesOf(path: string): string[] {
  const parts = path.split('/')
  const stem = (parts.at(-1) ?? '').replace(/\.[^.]+$/, '')
  const folder = parts.at(-2)
  // A package's own files import it by dots alone, and others by its name.
  return folderNames.has(stem) && folder !== undefined ? [folder, stem] : [stem]
}
