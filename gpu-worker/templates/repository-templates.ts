import { AppError } from '#shared/errors.ts'
import type { FileEntry, FileTree } from '../ports/file-tree.ts'
import { decodeText } from '../workspace/text.ts'
import { BODIES_MAX, BODY_CHARACTERS_MAX, isTemplateName, parseTemplateFile } from './spec.ts'
import { BODY_ENDING, fromFolder, TEMPLATE_FILE, type Template } from './template.ts'

/** What git does not ignore below a folder of the repository. Rejects with `not_found` where there is no such folder. */
export type VisibleEntries = (folder: string, signal: AbortSignal) => AsyncIterable<FileEntry>

/** Files of the templates' folder that are looked at; a folder full of other things is not walked to its end. */
const ENTRIES_MAX = 5000
const TEMPLATES_MAX = 200
/** A character of a body has four bytes at most. */
const BODY_BYTES_MAX = 4 * BODY_CHARACTERS_MAX

/** Names of the folders directly below `folder` that hold a `template.json`, in order. */
export async function findTemplates(folder: string, entries: VisibleEntries, signal: AbortSignal): Promise<string[]> {
  const names: string[] = []
  for await (const path of filesBelow(folder, entries, signal)) {
    const [name, file, ...deeper] = path.slice(folder.length + 1).split('/')
    if (name !== undefined && file === TEMPLATE_FILE && deeper.length === 0 && isTemplateName(name)) names.push(name)
    if (names.length === TEMPLATES_MAX) break
  }
  return names
}

/**
 * The template of a folder of the repository; null where it holds no `template.json`. Rejects with `invalid_input` for one
 * that is wrong, and as FileTree does: links that lead out, protected files and the like are refused.
 */
export async function readTemplate(
  folder: string,
  name: string,
  { files, entries }: { files: FileTree; entries: VisibleEntries },
  signal: AbortSignal,
): Promise<Template | null> {
  const own = `${folder}/${name}`
  const texts = new Map<string, string>()
  let json: string | null = null
  for await (const path of filesBelow(own, entries, signal)) {
    const file = path.slice(own.length + 1)
    if (file === TEMPLATE_FILE) json = await readText(files, path)
    else if (!file.includes('/') && file.endsWith(BODY_ENDING)) texts.set(file, await readText(files, path))
    if (texts.size > BODIES_MAX)
      throw new AppError('too_large', `Cannot read template "${name}": it has more than ${BODIES_MAX} bodies`)
  }
  return json === null
    ? null
    : fromFolder(name, 'repository', parseTemplateFile(`${own}/${TEMPLATE_FILE}`, json), texts)
}

async function readText(files: FileTree, path: string): Promise<string> {
  const { bytes } = await files.read(path, BODY_BYTES_MAX)
  return decodeText(path, bytes)
}

/** Paths of the plain files below a folder; none where it is missing. */
async function* filesBelow(folder: string, entries: VisibleEntries, signal: AbortSignal): AsyncGenerator<string> {
  let looked = 0
  try {
    for await (const { path, kind } of entries(folder, signal)) {
      looked += 1
      if (looked > ENTRIES_MAX) return
      if (kind === 'file') yield path
    }
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'not_found')) throw error
  }
}
