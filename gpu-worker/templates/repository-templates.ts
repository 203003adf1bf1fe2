import { AppError } from '#shared/errors.ts'
import type { FileEntry, FileTree } from '../ports/file-tree.ts'
import { decodeText } from '../workspace/text.ts'
import { BODIES_MAX, BODY_CHARACTERS_MAX, isTemplateName, parseTemplateFile } from './spec.ts'
import { BODY_ENDING, fromFolder, TEMPLATE_FILE, type Template } from './template.ts'

/** What git does not ignore below a folder of the repository. Rejects with `not_found` where there is no such folder. */
export type VisibleEntries = (folder: string, signal: AbortSignal) => AsyncIterable<FileEntry>

/** A folder with a `template.json`. */
export interface TemplateFolder {
  readonly name: string
  /** Of its plain files, not of those in folders below it. */
  readonly paths: readonly string[]
}

/** Files that are looked at; a folder full of other things is not walked to its end. */
const ENTRIES_MAX = 5000
const TEMPLATES_MAX = 200
/** A character of a body has four bytes at most. */
const BODY_BYTES_MAX = 4 * BODY_CHARACTERS_MAX

/** The templates directly below a folder, in order. */
export async function findTemplates(
  folder: string,
  entries: VisibleEntries,
  signal: AbortSignal,
): Promise<TemplateFolder[]> {
  const found = new Map<string, string[]>()
  for await (const path of filesBelow(folder, entries, signal)) {
    const [name = '', ...file] = path.slice(folder.length + 1).split('/')
    if (file.length !== 1 || !isTemplateName(name)) continue
    found.set(name, [...(found.get(name) ?? []), path])
  }
  return [...found]
    .map(([name, paths]) => ({ name, paths }))
    .filter(({ name, paths }) => paths.includes(`${folder}/${name}/${TEMPLATE_FILE}`))
    .slice(0, TEMPLATES_MAX)
}

/** The template of that name; null where there is none. */
export async function findTemplate(
  folder: string,
  name: string,
  entries: VisibleEntries,
  signal: AbortSignal,
): Promise<TemplateFolder | null> {
  const own = `${folder}/${name}`
  const paths: string[] = []
  for await (const path of filesBelow(own, entries, signal))
    if (!path.slice(own.length + 1).includes('/')) paths.push(path)
  return paths.includes(`${own}/${TEMPLATE_FILE}`) ? { name, paths } : null
}

/**
 * Rejects with `invalid_input` for a template that is wrong, and as FileTree does: links that lead out, protected files and the
 * like are refused.
 */
export async function readTemplate({ name, paths }: TemplateFolder, files: FileTree): Promise<Template> {
  const isSpec = (path: string): boolean => path.endsWith(`/${TEMPLATE_FILE}`)
  const bodies = paths.filter((path) => path.endsWith(BODY_ENDING))
  if (bodies.length > BODIES_MAX)
    throw new AppError('too_large', `Cannot read template "${name}": it has more than ${BODIES_MAX} bodies`, {
      hint: 'Make several templates of it',
    })
  const texts = new Map<string, string>()
  for (const path of bodies) texts.set(path.slice(path.lastIndexOf('/') + 1), await readText(files, path))
  const spec = paths.find(isSpec) ?? ''
  return fromFolder(name, 'repository', parseTemplateFile(spec, await readText(files, spec)), texts)
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
