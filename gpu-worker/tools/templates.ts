import { AppError } from '#shared/errors.ts'
import { ANSWER_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { ListedTemplate } from '#shared/tools/templates.ts'
import type { SettingsSource } from '../gates/settings-source.ts'
import type { ModelSet } from '../inference/model-set.ts'
import type { CommandRunner } from '../ports/command-runner.ts'
import type { ResolvedFile } from '../ports/file-tree.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import { builtinTemplates } from '../templates/builtin.ts'
import { designTemplate } from '../templates/design.ts'
import { generateFiles } from '../templates/generate.ts'
import { createTemplateLibrary, type Listed, type TemplateLibrary } from '../templates/library.ts'
import { type Problem, type RenderedOutput, renderTemplate } from '../templates/render-template.ts'
import { saveTemplate } from '../templates/save.ts'
import { parseSpec, type Variable } from '../templates/spec.ts'
import { fromSpec, TEMPLATE_FILE, type Template } from '../templates/template.ts'
import { validateTemplate } from '../templates/validate.ts'
import { readValues, type ValueProblem } from '../templates/values.ts'
import { createOwnedFileTree, requireMayChange } from '../workspace/ownership.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import { countLines } from '../workspace/text.ts'
import { type FileToolPorts, visible } from './files.ts'
import type { JobContext, JobHandlers, ToolContext, ToolHandlers } from './handler.ts'

export interface TemplateToolPorts extends FileToolPorts {
  readonly parser: SourceParser
  readonly settings: SettingsSource
  readonly runner: CommandRunner
}

type TemplateTools = 'list_templates' | 'generate_from_template' | 'validate_template'

export function createTemplateTools(ports: TemplateToolPorts): ToolHandlers<TemplateTools> {
  const library = createLibrary(ports)
  return {
    async list_templates(_input, { signal }) {
      const all = (await library.list(signal)).map(toListed)
      const templates = within(all, ANSWER_BYTES_MAX)
      return { templates, truncated: templates.length < all.length }
    },

    async generate_from_template(input, context) {
      const template = await library.find(input.template, context.signal)
      const outputs = renderAll(template, input.variables, input.output_path)
      const dryRun = input.dry_run ?? false
      const generated = await generateFiles(
        {
          template,
          outputs,
          commands: (await ports.settings()).settings.commands,
          requireMay: (file) => requireMayChange(file, context.agent, ports.registry),
          agentId: context.agent?.agent_id ?? null,
          mayOverwrite: input.overwrite ?? false,
          dryRun,
          deadline: context.deadline,
        },
        asCaller(ports, context),
        context.signal,
      )
      const source = template.source === 'repository' ? 'repository' : 'builtin'
      return { template: template.name, source, dry_run: dryRun, ...generated }
    },

    async validate_template({ template: name, spec }, { signal }) {
      const template = name === undefined ? fromSpec(parseSpec(spec)) : await library.find(name, signal)
      const { problems, rendered } = await validateTemplate(template, ports, signal)
      return {
        template: template.name,
        valid: problems.length === 0,
        problems: [...problems],
        rendered: toSizes(rendered),
      }
    },
  }
}

export interface TemplateJobPorts extends TemplateToolPorts {
  readonly models: ModelSet
}

export function createTemplateJobs(ports: TemplateJobPorts): JobHandlers<'template_from_spec'> {
  return {
    async template_from_spec({ spec, description }, context) {
      const { settings } = await ports.settings()
      const folder = settings.templatesFolder
      const made = description === undefined ? null : await design(ports, description, folder, context)
      const template = made?.template ?? fromSpec(parseSpec(spec))
      const { problems, rendered } = await validateTemplate(template, ports, context.signal)
      if (problems.length > 0) throw notValid(template, problems)
      const outcome = (files: string[]) => ({
        template: template.name,
        files,
        problems: [],
        rendered: toSizes(rendered),
        attempts: made?.attempts ?? 0,
        usage: made?.usage ?? null,
      })
      const requireMay = (file: ResolvedFile) => requireMayChange(file, context.agent, ports.registry)
      const job = { id: context.jobId, outcome }
      const files = await saveTemplate({ template, folder, requireMay, job }, asCaller(ports, context), context.signal)
      return outcome(files)
    },
  }
}

/** The model's template, under a name that is free. */
async function design(ports: TemplateJobPorts, description: string, folder: string, context: JobContext) {
  const model = await ports.models.pick(context.agent?.model ?? null)
  const made = await designTemplate(description, { ...ports, model }, context)
  const { template } = made
  for (let at = 1; ; at++) {
    const name = at === 1 ? template.name : `${template.name.slice(0, 60)}-${at}`
    const isTaken =
      builtinTemplates().has(name) || (await ports.files.resolve(`${folder}/${name}/${TEMPLATE_FILE}`, 'read')).exists
    if (!isTaken) return { ...made, template: { ...template, name } }
  }
}

function notValid(template: Template, problems: readonly Problem[]): AppError {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new AppError(
    'checks_failed',
    `Cannot write template "${template.name}": ${first?.where}: ${first?.message}${more}`,
    { hint: `${first?.hint}; nothing was written`, details: { problems } },
  )
}

const createLibrary = ({ files, repository, settings }: TemplateToolPorts): TemplateLibrary =>
  createTemplateLibrary({
    files,
    entries: (folder, signal) => visible({ files, repository }, folder, null, signal),
    folder: async () => (await settings()).settings.templatesFolder,
  })

/** The caller's right to each file is asked once more before it is written; what is taken back is not stopped by a cancel. */
const asCaller = <Ports extends TemplateToolPorts>(ports: Ports, { agent }: ToolContext): Ports => ({
  ...ports,
  files: createOwnedFileTree(ports.files, ports.registry, agent, new AbortController().signal),
})

const toSizes = (outputs: readonly RenderedOutput[]) =>
  outputs.map(({ path, text }) => ({ path, line_count: countLines(text) }))

/** Renders with a caller's values; of several files `outputPath` names the folder. Throws `invalid_input`. */
function renderAll(
  template: Template,
  given: Readonly<Record<string, unknown>>,
  outputPath: string | undefined,
): readonly RenderedOutput[] {
  const read = readValues(template.variables, given)
  if ('problems' in read) throw wrongValues(template, read.problems)
  const rendered = renderTemplate(template, read.values)
  if ('problems' in rendered) {
    const [first] = rendered.problems
    throw new AppError('invalid_input', `Cannot use template "${template.name}": ${first?.where}: ${first?.message}`, {
      hint: first?.hint ?? 'See validate_template',
      details: { problems: rendered.problems },
    })
  }
  const { outputs } = rendered
  if (outputPath === undefined) return outputs
  const isOne = outputs.length === 1
  return outputs.map((output) => ({
    ...output,
    path: parseRepositoryPath(isOne ? outputPath : `${outputPath}/${output.path}`),
  }))
}

function wrongValues(template: Template, problems: readonly ValueProblem[]): AppError {
  const told = problems.slice(0, 8).map(({ where, message }) => `variables.${where} ${message}`)
  return new AppError('invalid_input', `Cannot use template "${template.name}": ${told.join('; ')}`, {
    hint: 'list_templates shows what each variable may be',
    details: { problems },
  })
}

function toListed(listed: Listed): ListedTemplate {
  if ('problem' in listed)
    return {
      name: listed.name,
      source: 'repository',
      description: '',
      variables: [],
      outputs: [],
      problem: listed.problem,
    }
  const { name, source, description, variables, outputs } = listed
  return {
    name,
    source: source === 'repository' ? 'repository' : 'builtin',
    description,
    variables: Object.entries(variables).map(([each, kind]) => ({
      name: each,
      type: showType(kind),
      required: kind.default === undefined,
      ...(kind.default === undefined ? {} : { default: kind.default }),
      description: kind.description ?? null,
      hint: kind.hint ?? null,
      examples: kind.examples ?? [],
    })),
    outputs: outputs.map(({ path }) => path),
    problem: null,
  }
}

/** As many as an answer holds; ours go first, since they always fit. */
function within(listed: readonly ListedTemplate[], bytesMax: number): ListedTemplate[] {
  let bytes = 0
  const shown = new Set<ListedTemplate>()
  for (const each of listed.toSorted((a, b) => (a.source < b.source ? -1 : a.source > b.source ? 1 : 0))) {
    bytes += Buffer.byteLength(JSON.stringify(each))
    if (bytes <= bytesMax) shown.add(each)
  }
  return listed.filter((each) => shown.has(each))
}

function showType(kind: Variable): string {
  if (kind.type === 'list') return `list of ${showType(kind.items)}`
  if (kind.type === 'choice') return kind.choices.join('|')
  if (kind.type !== 'objects') return kind.type
  const fields = Object.entries(kind.fields).map(
    ([name, field]) => `${name}${field.default === undefined ? '' : '?'}: ${showType(field)}`,
  )
  return `list of {${fields.join(', ')}}`
}
