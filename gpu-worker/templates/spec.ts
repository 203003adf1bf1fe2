import * as v from 'valibot'
import { AppError, invalidInput } from '#shared/errors.ts'
import { SettingsFile } from '../gates/settings-schema.ts'

// The shape of `template.json`. docs/templates.md says the same in words; `millwright-template.schema.json` is made from
// this by scripts/config-schema.ts. An unknown key is an error: a misspelt rule asks nothing of anybody.

/** A template has no more parts than a caller can fill in; its texts are code that people read. */
export const OUTPUTS_MAX = 20
export const BODIES_MAX = 40
export const BODY_CHARACTERS_MAX = 64 * 1024
const VARIABLES_MAX = 40
const ITEMS_MAX = 200
const EXAMPLES_MAX = 10
/** The longest text that a variable may hold, and what it may hold unless told. */
const TEXT_CHARACTERS_MAX = 20_000
export const TEXT_CHARACTERS_DEFAULT = 2000

const NAME = /^[a-z][a-z0-9-]{0,63}$/
export const TemplateName = v.pipe(v.string(), v.regex(NAME, 'must be 1 to 64 lower-case letters, digits and dashes'))
export const isTemplateName = (text: string): boolean => NAME.test(text)

const text = (characters: number) => v.pipe(v.string(), v.maxLength(characters))
const VariableName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9_]{0,39}$/, 'must be lower-case letters, digits and underscores, at most 40'),
)
const Pattern = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(500),
  v.description('An RE2 expression that the whole text must match'),
)
const count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most))

const told = {
  description: v.optional(v.pipe(text(500), v.description('What it is, for people'))),
  hint: v.optional(v.pipe(text(500), v.description('How to choose it, for a model'))),
}
/** Whether a default and examples are of the variable's own type is judged by `readValue`, which knows the type. */
const given = {
  default: v.optional(v.pipe(v.unknown(), v.description('Without one the variable must be given'))),
  examples: v.optional(v.pipe(v.array(v.unknown()), v.maxLength(EXAMPLES_MAX))),
}

const textKind = {
  type: v.literal('string'),
  pattern: v.optional(Pattern),
  min_length: v.optional(count(TEXT_CHARACTERS_MAX)),
  max_length: v.optional(count(TEXT_CHARACTERS_MAX)),
}
const identifierKind = {
  type: v.literal('identifier'),
  pattern: v.optional(Pattern),
  reserved: v.optional(
    v.pipe(v.array(text(64)), v.maxLength(50), v.description('Names that the template needs for itself')),
  ),
}
const integerKind = {
  type: v.literal('integer'),
  minimum: v.optional(v.pipe(v.number(), v.integer())),
  maximum: v.optional(v.pipe(v.number(), v.integer())),
}
const booleanKind = { type: v.literal('boolean') }
const choiceKind = {
  type: v.literal('choice'),
  choices: v.pipe(v.array(v.pipe(text(100), v.minLength(1))), v.minLength(1), v.maxLength(50)),
}
const dataKind = { type: v.literal('data') }

const Item = v.variant('type', [
  v.strictObject({ ...textKind, ...told }),
  v.strictObject({ ...identifierKind, ...told }),
  v.strictObject({ ...integerKind, ...told }),
  v.strictObject({ ...booleanKind, ...told }),
  v.strictObject({ ...choiceKind, ...told }),
  v.strictObject({ ...dataKind, ...told }),
])

const Field = v.variant('type', [
  v.strictObject({ ...textKind, ...told, ...given }),
  v.strictObject({ ...identifierKind, ...told, ...given }),
  v.strictObject({ ...integerKind, ...told, ...given }),
  v.strictObject({ ...booleanKind, ...told, ...given }),
  v.strictObject({ ...choiceKind, ...told, ...given }),
  v.strictObject({ ...dataKind, ...told, ...given }),
])

const counted = { min_items: v.optional(count(ITEMS_MAX)), max_items: v.optional(count(ITEMS_MAX)) }

const Variable = v.variant('type', [
  ...Field.options,
  v.strictObject({ type: v.literal('list'), items: Item, ...counted, ...told, ...given }),
  v.strictObject({
    type: v.literal('objects'),
    fields: v.pipe(v.record(VariableName, Field), v.minEntries(1), v.maxEntries(20)),
    unique: v.optional(v.pipe(VariableName, v.description('The field whose name no two objects may share'))),
    ...counted,
    ...told,
    ...given,
  }),
])
export type Variable = v.InferOutput<typeof Variable>
export type Scalar = v.InferOutput<typeof Item>
export type ObjectField = v.InferOutput<typeof Field>
export type Variables = Readonly<Record<string, Variable>>

export const Overwrite = v.picklist(['never', 'if_unchanged', 'ask'])
export type Overwrite = v.InferOutput<typeof Overwrite>

const pathPattern = v.pipe(
  text(500),
  v.minLength(1),
  v.description('Where the file goes: itself a Liquid template, whose result is a path in the repository'),
)
const overwrite = v.optional(
  v.pipe(
    Overwrite,
    v.description(
      'A file that is there already. never: refuse; if_unchanged: replace what Millwright wrote last; ask: with the flag',
    ),
  ),
  'never',
)
const BodyName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.liquid$/, 'must be a plain file name that ends with .liquid'),
)

/** The rules of `millwright.json` that can be asked of one text alone. */
const TemplateRules = v.pick(SettingsFile.entries.checks.wrapped, [
  'severities',
  'line_limit',
  'function_length',
  'complexity',
  'missing_docs',
  'forbidden_pattern',
])
export type TemplateRules = v.InferOutput<typeof TemplateRules>

const common = {
  description: v.pipe(text(500), v.minLength(1)),
  variables: v.pipe(v.record(VariableName, Variable), v.maxEntries(VARIABLES_MAX)),
  rules: v.optional(TemplateRules, {}),
  after: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'must be the name of a command'))),
      v.maxLength(10),
      v.description('Names of commands of millwright.json that run when the files are there'),
    ),
    [],
  ),
}

/** `template.json`: what a template's folder says beside its bodies. */
export const TemplateFile = v.strictObject({
  $schema: v.optional(v.string()),
  ...common,
  outputs: v.pipe(
    v.array(v.strictObject({ path: pathPattern, file: BodyName, overwrite })),
    v.minLength(1),
    v.maxLength(OUTPUTS_MAX),
  ),
})
export type TemplateFile = v.InferOutput<typeof TemplateFile>

/** A whole template in one JSON value, as a caller sends it. */
const TemplateSpec = v.strictObject({
  name: TemplateName,
  ...common,
  outputs: v.pipe(
    v.array(v.strictObject({ path: pathPattern, body: text(BODY_CHARACTERS_MAX), overwrite })),
    v.minLength(1),
    v.maxLength(OUTPUTS_MAX),
  ),
  partials: v.optional(
    v.pipe(
      v.record(v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)), text(BODY_CHARACTERS_MAX)),
      v.maxEntries(BODIES_MAX - OUTPUTS_MAX),
    ),
    {},
  ),
})
export type TemplateSpec = v.InferOutput<typeof TemplateSpec>

/** A spec: what a caller needs to see to write one. */
const example = {
  name: 'greeting',
  description: 'A module that greets',
  variables: { who: { type: 'string', description: 'Whom', examples: ['World'] } },
  outputs: [{ path: 'src/greet_{{ who | snake_case }}.py', body: 'print({{ who | py_string }})\n' }],
}

/** For a caller whose spec is wrong, or who has none yet. */
export const SPEC_HINT = `A spec has this form: ${JSON.stringify(example)}`

/** Reads a spec that a caller sent. Throws `invalid_input` naming the fields that are wrong. */
export function parseSpec(value: unknown): TemplateSpec {
  const parsed = v.safeParse(TemplateSpec, value)
  if (parsed.success) return parsed.output
  const { code, message } = invalidInput('the spec', parsed.issues)
  throw new AppError(code, message, { hint: SPEC_HINT })
}

const MEND = 'Mend the file; docs/templates.md shows one'

/** Reads the text of a `template.json`. Throws `invalid_input` naming the file, and the fields that are wrong. */
export function parseTemplateFile(path: string, json: string): TemplateFile {
  let value: unknown
  try {
    value = JSON.parse(json.replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw new AppError('invalid_input', `Cannot read "${path}": it is not valid JSON`, { cause, hint: MEND })
  }
  if (Array.isArray(value))
    throw new AppError('invalid_input', `Cannot read "${path}": it is a list, not an object`, { hint: MEND })
  const parsed = v.safeParse(TemplateFile, value)
  if (!parsed.success) throw invalidInput(`"${path}"`, parsed.issues)
  return parsed.output
}
