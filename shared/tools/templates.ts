import * as v from 'valibot'
import { Checks } from '../schemas/check.ts'
import { Usage } from '../schemas/job.ts'
import { adds, defineTool, reads } from './define-tool.ts'
import { agentId, checksToText, diffToText, name, path } from './fields.ts'
import { defineJobTool, jobEntries } from './job-tool.ts'

/** JSON of the caller's own; the worker, which knows the template, says what is wrong with it. */
const values = v.pipe(
  v.unknown(),
  v.check((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'must be an object'),
  v.record(v.string(), v.unknown()),
)

/** What is wrong with a template: `where` names a key of its spec, or a body and its line. */
export const TemplateProblem = v.strictObject({ where: v.string(), message: v.string(), hint: v.string() })
export type TemplateProblem = v.InferOutput<typeof TemplateProblem>

const ListedTemplate = v.strictObject({
  name: v.string(),
  source: v.picklist(['builtin', 'repository']),
  description: v.string(),
  variables: v.array(
    v.strictObject({
      name: v.string(),
      /** As in the spec; of a list with what it is made of: `list of string`, `objects {name: identifier, optional: boolean = false}`. */
      type: v.string(),
      required: v.boolean(),
      default: v.optional(v.unknown()),
      description: v.nullable(v.string()),
      hint: v.nullable(v.string()),
      examples: v.array(v.unknown()),
    }),
  ),
  /** Liquid patterns. */
  outputs: v.array(v.string()),
  /** Why it cannot be used; null where it can. */
  problem: v.nullable(v.string()),
})
export type ListedTemplate = v.InferOutput<typeof ListedTemplate>

const variableToText = ({ name, type, required, description }: ListedTemplate['variables'][number]): string =>
  `  ${name}${required ? '' : '?'}: ${type}${description === null ? '' : ` - ${description}`}`

export const listTemplates = defineTool({
  name: 'list_templates',
  family: 'templates',
  place: 'worker',
  core: false,
  title: 'List templates',
  description: 'Templates of code with their variables: built in, and of the repository.',
  input: v.strictObject({}),
  output: v.strictObject({
    templates: v.array(ListedTemplate),
    /** Others of the repository were left out: their folders show them. */
    truncated: v.boolean(),
  }),
  annotations: reads,
  toText: ({ templates, truncated }) =>
    templates
      .flatMap(({ name, source, description, variables, outputs, problem }) =>
        problem === null
          ? [
              `${name}${source === 'builtin' ? '' : ' (repository)'}: ${description} -> ${outputs.join(', ')}`,
              ...variables.map(variableToText),
            ]
          : [`${name} (repository) cannot be used: ${problem}`],
      )
      .concat(truncated ? ['[more templates: look into their folder]'] : [])
      .join('\n'),
})

export const generateFromTemplate = defineTool({
  name: 'generate_from_template',
  family: 'templates',
  place: 'worker',
  core: false,
  title: 'Generate from template',
  description: 'Write the files of a template, all or none, if they pass the checks.',
  input: v.strictObject({
    template: name,
    variables: values,
    output_path: v.optional(v.pipe(path, v.description('Of the file; of several files their folder'))),
    agent_id: v.optional(agentId),
    overwrite: v.optional(v.boolean()),
    dry_run: v.optional(v.boolean()),
  }),
  output: v.strictObject({
    template: v.string(),
    source: v.picklist(['builtin', 'repository']),
    dry_run: v.boolean(),
    files: v.array(
      v.strictObject({
        path: v.string(),
        action: v.picklist(['created', 'replaced', 'unchanged']),
        sha256: v.string(),
        line_count: v.number(),
        checks: Checks,
      }),
    ),
    diff: v.string(),
    diff_truncated: v.boolean(),
    /** The template's steps. `passed` is null for one that did not run. */
    after: v.array(v.strictObject({ name: v.string(), passed: v.nullable(v.boolean()), message: v.string() })),
  }),
  annotations: adds,
  toText: ({ template, dry_run, files, diff, after }) =>
    [
      `${template}${dry_run ? ' (dry run, nothing written)' : ''}`,
      ...files.map(
        ({ path, action, line_count, checks }) => `${action} ${path}, ${line_count} lines\n${checksToText(checks)}`,
      ),
      ...after.map(({ name, passed, message }) =>
        passed === true
          ? `Step ${name} passed`
          : `Step ${name} ${passed === null ? 'did not run' : 'failed'}: ${message}`,
      ),
      diffToText(diff),
    ].join('\n'),
})

/** A hint that several problems share is said once. */
const problemsToText = (problems: readonly TemplateProblem[]): string[] =>
  problems.map(({ where, message, hint }, index) => {
    const isSaid = problems.findIndex((each) => each.hint === hint) < index
    return `- ${where}: ${message}${isSaid ? '' : `. ${hint}`}`
  })

export const validateTemplate = defineTool({
  name: 'validate_template',
  family: 'templates',
  place: 'worker',
  core: false,
  title: 'Check template',
  description: 'Render the examples of a template, or of a spec, and check them. Writes nothing.',
  input: v.pipe(
    v.strictObject({ template: v.optional(name), spec: v.optional(values) }),
    v.check((input) => (input.template === undefined) !== (input.spec === undefined), 'give either template or spec'),
  ),
  output: v.strictObject({
    template: v.string(),
    valid: v.boolean(),
    problems: v.array(TemplateProblem),
    /** What the first examples make. */
    rendered: v.array(v.strictObject({ path: v.string(), line_count: v.number() })),
  }),
  annotations: reads,
  toText: ({ template, valid, problems, rendered }) =>
    [
      `${template}: ${valid ? `valid, makes ${rendered.map(({ path }) => path).join(', ')}` : 'not valid'}`,
      ...problemsToText(problems),
    ].join('\n'),
})

/** Longer than a person describes a template, and short beside a small model's context. */
const DESCRIPTION_MAX = 4000

export const templateFromSpec = defineJobTool({
  name: 'template_from_spec',
  family: 'templates',
  title: 'Make template',
  description:
    'Write a template into the repository from a spec, or from a description by the local model, if it is valid.',
  input: v.pipe(
    v.strictObject({
      spec: v.optional(values),
      description: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(DESCRIPTION_MAX))),
      ...jobEntries,
    }),
    v.check(
      (input) => (input.spec === undefined) !== (input.description === undefined),
      'give either spec or description',
    ),
  ),
  outcome: v.strictObject({
    template: v.string(),
    /** Paths of what was written. */
    files: v.array(v.string()),
    /** Nothing but valid templates are written: always empty, and named so that a caller need not guess. */
    problems: v.array(TemplateProblem),
    /** What the first examples make. */
    rendered: v.array(v.strictObject({ path: v.string(), line_count: v.number() })),
    /** Answers of the model; 0 where the caller gave the spec. */
    attempts: v.number(),
    usage: v.nullable(Usage),
  }),
  annotations: adds,
  outcomeToText: ({ template, files, rendered }) =>
    [
      `Made template ${template}: ${files.join(', ')}`,
      `Its examples make ${rendered.map(({ path, line_count }) => `${path} (${line_count} lines)`).join(', ')}`,
      `Use it: generate_from_template with template "${template}"; list_templates shows its variables`,
    ].join('\n'),
})
