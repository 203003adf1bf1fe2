import { join } from 'node:path'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { createFileChecker } from '#gpu-worker/gates/file-checker.ts'
import { createSettingsSource } from '#gpu-worker/gates/settings-source.ts'
import type { FileChecker } from '#gpu-worker/ports/file-checker.ts'
import { renderTemplate } from '#gpu-worker/templates/render-template.ts'
import { parseSpec } from '#gpu-worker/templates/spec.ts'
import { fromSpec, type Template } from '#gpu-worker/templates/template.ts'
import type { ValidationPorts } from '#gpu-worker/templates/validate.ts'
import { readValues } from '#gpu-worker/templates/values.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

/** What templates are judged with, on a repository of its own: the real parser, the real checks, the real files. */
export interface TemplateWorld {
  readonly repository: TempRepository
  readonly ports: ValidationPorts
  readonly checker: FileChecker
  /** A path of the repository as the system has it. */
  pathOf(path: string): string
  close(): Promise<void>
}

export async function createTemplateWorld(files?: Record<string, string>): Promise<TemplateWorld> {
  const repository = await createTempRepository(files)
  const tree = await createNodeFileTree({ root: repository.root })
  const parser = createTreeSitterParser()
  const settings = createSettingsSource(tree)
  const checker = createFileChecker({ parser, settings })
  return {
    repository,
    ports: { files: tree, parser, settings },
    checker,
    pathOf: (path) => join(repository.root, path),
    async close() {
      await checker.close()
      repository.remove()
    },
  }
}

/** Renders a template with values that must fit; throws with what is wrong otherwise. */
export function renderOk(template: Template, given: Record<string, unknown>): { path: string; text: string }[] {
  const read = readValues(template.variables, given)
  if ('problems' in read) throw new Error(`Not its values: ${JSON.stringify(read.problems)}`)
  const rendered = renderTemplate(template, read.values)
  if ('problems' in rendered) throw new Error(`Not rendered: ${JSON.stringify(rendered.problems)}`)
  return rendered.outputs.map(({ path, text }) => ({ path, text }))
}

/** A template with one output, from the parts that a test is about. */
export const templateOf = (parts: {
  body: string
  path?: string
  variables?: unknown
  [more: string]: unknown
}): Template => {
  const { body, path = 'out.py', variables = {}, ...more } = parts
  return fromSpec(parseSpec({ name: 'sample', description: 'A sample', variables, outputs: [{ path, body }], ...more }))
}
