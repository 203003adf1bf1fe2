import { AppError } from '#shared/errors.ts'
import { parseRepositoryPath, type RepositoryPath } from '../workspace/repository-path.ts'
import { createTemplateEngine, type TemplateEngine } from './engine.ts'
import { FORM_HINT } from './filters.ts'
import type { Overwrite } from './spec.ts'
import type { Template, TemplateOutput } from './template.ts'
import type { Values } from './values.ts'

export interface RenderedOutput {
  readonly path: RepositoryPath
  readonly text: string
  readonly overwrite: Overwrite
}

/** What is wrong with a template, where, and what to do. `where` names a key of the spec, or a body and its line. */
export interface Problem {
  readonly where: string
  readonly message: string
  readonly hint: string
}

export type RenderedTemplate =
  | { readonly outputs: readonly RenderedOutput[] }
  | { readonly problems: readonly Problem[] }

/** Renders every output of a template. Of what goes wrong, all of it is told. */
export function renderTemplate(
  template: Template,
  values: Values,
  engine: TemplateEngine = createTemplateEngine(template.bodies),
): RenderedTemplate {
  const problems: Problem[] = []
  const outputs: RenderedOutput[] = []
  for (const [index, output] of template.outputs.entries()) {
    const path = renderPath(engine, output, index, values)
    const text = renderBody(engine, template, output, values)
    if ('message' in path) problems.push(path)
    if ('message' in text) problems.push(text)
    if ('path' in path && 'text' in text) outputs.push({ ...path, ...text, overwrite: output.overwrite })
  }
  const paths = new Set(outputs.map(({ path }) => path))
  if (paths.size < outputs.length)
    problems.push({ where: 'outputs', message: 'two outputs have the same path', hint: 'Give each a path of its own' })
  return problems.length === 0 ? { outputs } : { problems }
}

function renderPath(
  engine: TemplateEngine,
  { path }: TemplateOutput,
  index: number,
  values: Values,
): { path: RepositoryPath } | Problem {
  const where = `outputs.${index}.path`
  const rendered = engine.render(path, values)
  if ('fault' in rendered)
    return { where, message: rendered.fault.message, hint: 'Names of variables go in as {{ name | snake_case }}' }
  try {
    return { path: parseRepositoryPath(rendered.text) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { where, message: error.message, hint: error.hint ?? 'Make it a path in the repository' }
  }
}

function renderBody(
  engine: TemplateEngine,
  { bodies }: Template,
  { body }: TemplateOutput,
  values: Values,
): { text: string } | Problem {
  const text = bodies.get(body)
  if (text === undefined)
    return { where: `${body}.liquid`, message: 'there is no such body', hint: 'Add it, or name another' }
  const rendered = engine.render(text, values)
  if ('text' in rendered) return rendered
  const { line, message } = rendered.fault
  const where = `${body}.liquid${line === null ? '' : `:${line}`}`
  return { where, message, hint: FORM_HINT }
}
