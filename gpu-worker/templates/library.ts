import { AppError } from '#shared/errors.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { builtinTemplates } from './builtin.ts'
import { findTemplates, readTemplate, type VisibleEntries } from './repository-templates.ts'
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
  async function readOwn(name: string, signal: AbortSignal): Promise<Template | null> {
    return readTemplate(await folder(), name, { files, entries }, signal)
  }

  return {
    async list(signal) {
      const listed = new Map<string, Listed>(builtinTemplates())
      for (const name of await findTemplates(await folder(), entries, signal)) {
        try {
          const template = await readOwn(name, signal)
          if (template !== null) listed.set(name, template)
        } catch (error) {
          if (!(error instanceof AppError)) throw error
          listed.set(name, { name, problem: error.message })
        }
      }
      return [...listed.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    },

    async find(name, signal) {
      if (!isTemplateName(name)) throw noTemplate(name, 'it is no name of a template')
      const template = (await readOwn(name, signal)) ?? builtinTemplates().get(name)
      if (template !== undefined) return template
      const own = await findTemplates(await folder(), entries, signal)
      const names = [...new Set([...own, ...builtinTemplates().keys()])].sort()
      throw new AppError('not_found', `Cannot find template "${name}"`, { hint: `There are: ${names.join(', ')}` })
    },
  }
}

const noTemplate = (name: string, reason: string): AppError =>
  new AppError('invalid_input', `Cannot find template ${JSON.stringify(name.slice(0, 80))}: ${reason}`, {
    hint: 'Give a name as list_templates shows it, not a path',
  })
