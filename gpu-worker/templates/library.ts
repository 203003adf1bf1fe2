import { AppError } from '#shared/errors.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { builtinTemplates } from './builtin.ts'
import {
  findTemplate,
  findTemplates,
  readTemplate,
  type TemplateFolder,
  type VisibleEntries,
} from './repository-templates.ts'
import { isTemplateName } from './spec.ts'
import type { Template } from './template.ts'

/** A template, or the name of one in the repository and why it cannot be read. */
export type Listed = Template | { readonly name: string; readonly problem: string }

/** All templates: those of the repository, and those that come with Millwright. One of the repository goes before ours. */
export interface TemplateLibrary {
  list(signal: AbortSignal): Promise<readonly Listed[]>
  /** Rejects with `invalid_input` for what is no name or a template that is wrong, `not_found` naming those there are. */
  find(name: string, signal: AbortSignal): Promise<Template>
}

export interface LibraryPorts {
  readonly files: FileTree
  readonly entries: VisibleEntries
  /** Where the repository keeps its templates. */
  readonly folder: () => Promise<string>
}

export function createTemplateLibrary({ files, entries, folder }: LibraryPorts): TemplateLibrary {
  return {
    async list(signal) {
      const listed = new Map<string, Listed>(builtinTemplates())
      for (const found of await findTemplates(await folder(), entries, signal))
        listed.set(found.name, await readOrExplain(found, files))
      return [...listed.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    },

    async find(name, signal) {
      if (!isTemplateName(name)) throw noTemplate(name, 'it is no name of a template')
      const own = await findTemplate(await folder(), name, entries, signal)
      const template = own === null ? builtinTemplates().get(name) : await readTemplate(own, files)
      if (template !== undefined) return template
      const all = await findTemplates(await folder(), entries, signal)
      const names = [...new Set([...all.map((each) => each.name), ...builtinTemplates().keys()])].sort()
      throw new AppError('not_found', `Cannot find template "${name}"`, { hint: `There are: ${names.join(', ')}` })
    },
  }
}

async function readOrExplain(found: TemplateFolder, files: FileTree): Promise<Listed> {
  try {
    return await readTemplate(found, files)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { name: found.name, problem: error.message }
  }
}

const noTemplate = (name: string, reason: string): AppError =>
  new AppError('invalid_input', `Cannot find template ${JSON.stringify(name.slice(0, 80))}: ${reason}`, {
    hint: 'Give a name as list_templates shows it, not a path',
  })
