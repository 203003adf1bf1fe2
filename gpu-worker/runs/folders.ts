// Folders of a repository by their paths; the top is the empty text.

export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

export const isWithin = (path: string, folder: string): boolean => folder === '' || path.startsWith(`${folder}/`)

export const inFolder = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`)

/** The folders around a path, nearest first, down to the top. */
export function* foldersAround(path: string): Generator<string> {
  for (let folder = path; folder !== ''; ) {
    folder = folderOf(folder)
    yield folder
  }
}

/** The nearest folder around a path that is one of these; undefined where none is. */
export function nearestOf(path: string, folders: { has(folder: string): boolean }): string | undefined {
  for (const folder of foldersAround(path)) if (folders.has(folder)) return folder
  return undefined
}

/** Without the folders that lie in another one of the list. Takes as long as the list is, and no longer. */
export function outermost(folders: Iterable<string>): string[] {
  const all = new Set(folders)
  return [...all].filter((folder) => folder === '' || nearestOf(folder, all) === undefined)
}
