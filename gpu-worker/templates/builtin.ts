import { readdirSync, readFileSync } from 'node:fs'
import { parseTemplateFile } from './spec.ts'
import { BODY_ENDING, fromFolder, TEMPLATE_FILE, type Template } from './template.ts'

/** Part of this program, so read where the program lies; nothing that a caller says is part of a path here. */
const folder = new URL('./builtin/', import.meta.url)

/** The templates that come with Millwright, by name, in order of name. Read at the first call. */
export const builtinTemplates: () => ReadonlyMap<string, Template> = once(() => {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
  return new Map(names.map((name) => [name, readBuiltin(name)]))
})

function readBuiltin(name: string): Template {
  const own = new URL(`${name}/`, folder)
  const bodies = readdirSync(own).filter((file) => file.endsWith(BODY_ENDING))
  const texts = new Map(bodies.map((file) => [file, readFileSync(new URL(file, own), 'utf8')]))
  return fromFolder(name, 'builtin', parseTemplateFile(name, readFileSync(new URL(TEMPLATE_FILE, own), 'utf8')), texts)
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
