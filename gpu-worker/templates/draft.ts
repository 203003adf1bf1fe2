import * as v from 'valibot'
import type { AnswerSchema } from '../ports/answer-grammar.ts'
import { kebabCase, snakeCase } from './names.ts'
import { isTemplateName } from './spec.ts'

// A template's spec as a model writes it: flat, bounded, and without any code, which models write badly within JSON. The
// bodies come afterwards, each by itself.

const TYPES = ['string', 'identifier', 'integer', 'boolean', 'choice', 'list', 'objects'] as const
const FIELD_TYPES = ['string', 'identifier', 'integer', 'boolean'] as const
const RULES = ['missing_docs', 'complexity', 'function_length'] as const

const textOf = (maxLength: number): AnswerSchema => ({ type: 'string', maxLength })
const listOf = (items: AnswerSchema, minItems: number, maxItems: number): AnswerSchema => ({
  type: 'array',
  items,
  minItems,
  maxItems,
})
const objectOf = (properties: Record<string, AnswerSchema>): AnswerSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})

/** The form of the model's answer. Its bounds are those of a template that a small model can keep in mind. */
export const draftSchema: AnswerSchema = objectOf({
  name: textOf(40),
  description: textOf(200),
  variables: listOf(
    objectOf({
      name: textOf(30),
      type: { type: 'string', enum: TYPES },
      description: textOf(120),
      examples: listOf(textOf(80), 1, 3),
      choices: listOf(textOf(30), 0, 6),
      fields: listOf(
        objectOf({ name: textOf(30), type: { type: 'string', enum: FIELD_TYPES }, example: textOf(60) }),
        0,
        6,
      ),
    }),
    1,
    8,
  ),
  outputs: listOf(objectOf({ path: textOf(120), purpose: textOf(160) }), 1, 3),
  rules: listOf({ type: 'string', enum: RULES }, 0, 3),
})

const Draft = v.object({
  name: v.string(),
  description: v.string(),
  variables: v.array(
    v.object({
      name: v.string(),
      type: v.picklist(TYPES),
      description: v.string(),
      examples: v.array(v.string()),
      choices: v.array(v.string()),
      fields: v.array(v.object({ name: v.string(), type: v.picklist(FIELD_TYPES), example: v.string() })),
    }),
  ),
  outputs: v.pipe(v.array(v.object({ path: v.string(), purpose: v.string() })), v.minLength(1), v.maxLength(3)),
  rules: v.array(v.picklist(RULES)),
})
type Draft = v.InferOutput<typeof Draft>

/** A spec without bodies, and what each output is for. */
export interface DraftSpec {
  readonly spec: Readonly<Record<string, unknown>>
  readonly purposes: readonly string[]
}

/** Reads a model's answer; a text that says what is wrong where it is no draft. */
export function readDraft(answer: string): DraftSpec | { readonly fault: string } {
  let value: unknown
  try {
    // A model that is not held to the form puts a fence around it.
    value = JSON.parse(answer.replace(/^[^{]*?(?=\{)/s, '').replace(/\}[^}]*$/s, '}'))
  } catch {
    return { fault: 'The answer is not JSON: answer with one JSON object and nothing else' }
  }
  const parsed = v.safeParse(Draft, value)
  if (parsed.success) return toSpec(parsed.output)
  const where = parsed.issues.slice(0, 5).map((issue) => v.getDotPath(issue) ?? '(whole)')
  return { fault: `These parts are missing or of another kind: ${where.join(', ')}` }
}

function toSpec({ name, description, variables, outputs, rules }: Draft): DraftSpec {
  const spec = {
    name: toName(name),
    description: description.trim() === '' ? name : description,
    variables: Object.fromEntries(variables.map((each) => [toKey(each.name), toVariable(each)])),
    outputs: outputs.map(({ path }) => ({ path, body: '' })),
    ...(rules.length === 0 ? {} : { rules: { severities: Object.fromEntries(rules.map((rule) => [rule, 'error'])) } }),
  }
  return { spec, purposes: outputs.map(({ purpose }) => purpose) }
}

/** What models write for a name is seldom in the form that one must have, and always says it. */
function toName(text: string): string {
  const name = /[A-Za-z0-9]/.test(text) ? kebabCase(text).slice(0, 64) : text
  return isTemplateName(name) ? name : `template-${name}`.slice(0, 64)
}

const toKey = (text: string): string =>
  /[A-Za-z0-9]/.test(text)
    ? snakeCase(text)
        .replace(/^_+|_+$/g, '')
        .slice(0, 40)
    : text

function toVariable({ type, description, examples, choices, fields }: Draft['variables'][number]): unknown {
  const told = { type, description }
  switch (type) {
    case 'choice':
      return { ...told, choices: choices.length > 0 ? choices : examples }
    case 'list':
      return { ...told, items: { type: 'string' }, examples: [examples] }
    case 'objects':
      return {
        ...told,
        fields: Object.fromEntries(fields.map((field) => [toKey(field.name), { type: field.type }])),
        examples: [
          [Object.fromEntries(fields.map((field) => [toKey(field.name), toValue(field.type, field.example)]))],
        ],
      }
    default:
      return { ...told, examples: examples.map((each) => toValue(type, each)) }
  }
}

function toValue(type: string, text: string): unknown {
  if (type === 'integer') return /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text
  if (type === 'boolean') return /^(true|yes|1)$/i.test(text.trim())
  return text
}
