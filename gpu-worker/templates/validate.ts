import { AppError } from '#shared/errors.ts'
import { createFileChecker } from '../gates/file-checker.ts'
import { fileKind } from '../gates/file-kind.ts'
import type { SettingsSource } from '../gates/settings-source.ts'
import type { FileChecker } from '../ports/file-checker.ts'
import type { FileTree } from '../ports/file-tree.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import { createTemplateEngine, type TemplateEngine } from './engine.ts'
import { type ExampleSet, exampleSets, hostileSet, withoutExample } from './examples.ts'
import { FORM_HINT } from './filters.ts'
import { type Problem, type RenderedOutput, renderTemplate } from './render-template.ts'
import { createRulesChecker, judgeByRules } from './rules.ts'
import type { Template } from './template.ts'
import { readValues } from './values.ts'

export interface ValidationPorts {
  readonly files: FileTree
  readonly parser: SourceParser
  readonly settings: SettingsSource
}

export interface Validation {
  readonly problems: readonly Problem[]
  /** What the first examples make; empty where they cannot be rendered. */
  readonly rendered: readonly RenderedOutput[]
}

const PROBLEMS_MAX = 50

/**
 * Judges a template before anybody relies on it: its bodies parse and use what is declared, its examples are what they are
 * examples of, and what they render passes the repository's checks (without its commands) and the template's own rules.
 * Then once more with texts that end every string and comment that we know: what comes out must parse, and define the same.
 * Rejects as SourceParser does.
 */
export async function validateTemplate(
  template: Template,
  ports: ValidationPorts,
  signal?: AbortSignal,
): Promise<Validation> {
  const engine = createTemplateEngine(template.bodies)
  const problems = [...judgeForm(template, engine)]
  const { settings } = await ports.settings()
  problems.push(...judgeAfter(template, new Set(settings.commands.map(({ name }) => name))))
  const found = readRules(template, ports.parser)
  if ('message' in found) return { problems: [...problems, found], rendered: [] }
  // Examples of a template whose form is wrong would only say the same again.
  if (problems.length > 0) return { problems: problems.slice(0, PROBLEMS_MAX), rendered: [] }
  const withoutCommands = async () => ({ settings: { ...settings, commands: [] }, fault: null })
  const judges = { checker: createFileChecker({ parser: ports.parser, settings: withoutCommands }), rules: found.rules }
  let first: readonly RenderedOutput[] = []
  for (const [index, example] of exampleSets(template.variables).entries()) {
    const which = `example ${index + 1}`
    const { outputs, problems: unfit } = await renderExample(template, engine, example, which, ports.files)
    if (index === 0) first = outputs
    problems.push(...unfit, ...(await judgeTexts(template, outputs, which, judges, signal)))
    if (problems.length === 0) problems.push(...(await probe(template, engine, example, outputs, ports, signal)))
    if (problems.length > 0) break
  }
  return { problems: problems.slice(0, PROBLEMS_MAX), rendered: first }
}

/** The part of it that needs no bodies: names, types, examples, paths. */
export async function validateSpec(template: Template, files: FileTree): Promise<readonly Problem[]> {
  const uses = Object.keys(template.variables).map((name) => `{% if ${name} %}{% endif %}`)
  const standIn = { ...template, bodies: new Map(template.outputs.map(({ body }) => [body, uses.join('')])) }
  const engine = createTemplateEngine(standIn.bodies)
  const problems = [...judgeForm(standIn, engine)]
  for (const [index, example] of exampleSets(template.variables).entries()) {
    if (problems.length > 0) break
    problems.push(...(await renderExample(standIn, engine, example, `example ${index + 1}`, files)).problems)
  }
  return problems.slice(0, PROBLEMS_MAX)
}

interface Judges {
  readonly checker: FileChecker
  readonly rules: FileChecker
}

function readRules({ rules }: Template, parser: SourceParser): { rules: FileChecker } | Problem {
  try {
    return { rules: createRulesChecker(parser, rules) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { where: 'rules', message: error.message, hint: 'They have the form of checks in millwright.json' }
  }
}

/** What can be said without rendering. */
function* judgeForm({ variables, outputs, bodies }: Template, engine: TemplateEngine): Generator<Problem> {
  const used = new Set<string>()
  let isSound = true
  const texts = [
    ...outputs.map(({ path }, index) => [`outputs.${index}.path`, path] as const),
    ...[...bodies].map(([name, text]) => [`${name}.liquid`, text] as const),
  ]
  const shown = new Set(outputs.map(({ body }) => body))
  for (const [where, text] of texts) {
    const isPartial = where.endsWith('.liquid') && !shown.has(where.slice(0, -'.liquid'.length))
    // A partial has the variables that `render` gives it.
    const fault = isPartial ? engine.parse(text) : null
    const taken = isPartial ? { names: [] } : engine.variables(text)
    const wrong = 'fault' in taken ? taken.fault : fault
    isSound &&= wrong === null
    if (wrong !== null)
      yield { where: wrong.line === null ? where : `${where}:${wrong.line}`, message: wrong.message, hint: FORM_HINT }
    for (const name of 'names' in taken ? taken.names : []) {
      used.add(name)
      if (!Object.hasOwn(variables, name))
        yield {
          where,
          message: `uses ${name}, which is no variable`,
          hint: 'Declare it under variables, or correct the name',
        }
    }
  }
  for (const { body } of outputs)
    if (!bodies.has(body))
      yield {
        where: `${body}.liquid`,
        message: 'there is no such body',
        hint: 'Add it to the template, or name another',
      }
  // What a body that cannot be read uses is not known.
  for (const name of isSound ? Object.keys(variables) : [])
    if (!used.has(name))
      yield { where: `variables.${name}`, message: 'is used nowhere', hint: 'Remove it, or use it in a path or a body' }
  for (const name of withoutExample(variables))
    yield {
      where: `variables.${name}.examples`,
      message: 'there is none',
      hint: 'Give an example or a default, so that it can be tried',
    }
}

/** Names that a template's paths and bodies take, as far as these can be read. */
export function usedVariables({ outputs, bodies }: Template): ReadonlySet<string> {
  const engine = createTemplateEngine(bodies)
  const texts = outputs.flatMap(({ path, body }) => [path, bodies.get(body) ?? ''])
  const taken = texts.map((text) => engine.variables(text))
  return new Set(taken.flatMap((each) => ('names' in each ? each.names : [])))
}

function* judgeAfter({ after }: Template, known: ReadonlySet<string>): Generator<Problem> {
  for (const [index, name] of after.entries())
    if (!known.has(name))
      yield {
        where: `after.${index}`,
        message: `"${name}" is no command of millwright.json`,
        hint: `A template can only name commands that are there: ${[...known].join(', ') || 'none'}`,
      }
}

/** Values of the wrong kind, bodies that cannot be rendered, paths where nothing may be written. */
async function renderExample(
  template: Template,
  engine: TemplateEngine,
  example: ExampleSet,
  which: string,
  files: FileTree,
): Promise<{ outputs: readonly RenderedOutput[]; problems: readonly Problem[] }> {
  const read = readValues(template.variables, example)
  if ('problems' in read) {
    const problems = read.problems.map(({ where, message }) => ({
      where: `variables.${where}`,
      message: `${which} ${message}`,
      hint: 'Correct the example or the default, or what the variable asks',
    }))
    return { outputs: [], problems }
  }
  const rendered = renderTemplate(template, read.values, engine)
  if ('problems' in rendered)
    return { outputs: [], problems: rendered.problems.map((each) => withExample(each, which)) }
  const problems: Problem[] = []
  for (const [index, output] of rendered.outputs.entries()) problems.push(...(await judgePath(output, index, files)))
  return { outputs: rendered.outputs, problems }
}

async function judgeTexts(
  template: Template,
  outputs: readonly RenderedOutput[],
  which: string,
  { checker, rules }: Judges,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  for (const [index, output] of outputs.entries()) {
    const { checks } = await checker.check({ path: output.path, text: output.text, before: null }, signal)
    for (const { severity, rule, message, line } of [
      ...checks.violations,
      ...(await judgeByRules(rules, output, signal)),
    ]) {
      if (severity !== 'error') continue
      const place = line === null ? output.path : `${output.path} line ${line}`
      const where = `${template.outputs[index]?.body}.liquid`
      problems.push({ where, message: `${which}, ${place}: ${rule}: ${message}`, hint: 'Mend the body' })
    }
  }
  return problems
}

const withExample = (problem: Problem, which: string): Problem => ({
  ...problem,
  message: `${which}: ${problem.message}`,
})

/** Whether anything may be written there at all. */
async function judgePath({ path }: RenderedOutput, index: number, files: FileTree): Promise<Problem[]> {
  try {
    await files.resolve(path, 'write')
    return []
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return [{ where: `outputs.${index}.path`, message: error.message, hint: error.hint ?? 'Choose another path' }]
  }
}

/** Renders the example with hostile texts, and compares what the files define. */
async function probe(
  template: Template,
  engine: TemplateEngine,
  example: ExampleSet,
  tame: readonly RenderedOutput[],
  { parser }: ValidationPorts,
  signal: AbortSignal | undefined,
): Promise<readonly Problem[]> {
  const read = readValues(template.variables, hostileSet(template.variables, example))
  // A variable that is too short for a hostile text has nothing to fear.
  if ('problems' in read) return []
  const rendered = renderTemplate(template, read.values, engine)
  if ('problems' in rendered)
    return rendered.problems.map(({ where, message }) => ({
      where,
      message: `with quotes and line ends in the texts: ${message}`,
      hint: 'Print each text through the filter for the place that it stands in, or give the variable a pattern',
    }))
  const problems: Problem[] = []
  for (const [index, { path, text }] of rendered.outputs.entries()) {
    const before = tame[index]
    const [now, then] = [
      await define(parser, path, text, signal),
      before && (await define(parser, before.path, before.text, signal)),
    ]
    if (now === then || then === undefined) continue
    problems.push({
      where: `${template.outputs[index]?.body}.liquid`,
      message: `with quotes and line ends in the texts, the file ${now === null ? 'does not parse' : 'defines other things'}`,
      hint: 'A text stands in a place that its filter is not for, such as py_string within quotes: filters bring their own',
    })
  }
  return problems
}

/**
 * What a text defines, as one text; null where it does not parse. Not by name: a name may well be made of words of a text.
 */
async function define(
  parser: SourceParser,
  path: string,
  text: string,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const { language } = fileKind(path)
  if (language === null) return ''
  const outcome = await parser.parse(language, text, signal)
  if (outcome.kind !== 'parsed' || outcome.faultCount > 0) return null
  return outcome.definitions.map(({ kind }) => kind).join(' ')
}
