import * as v from 'valibot'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** What a form offers for a value: made from JSON Schema, and saying only what a form can use. */
export type Plan = { readonly description?: string | undefined; readonly start?: Json | undefined } & (
  | { readonly kind: 'text'; readonly min: number; readonly max: number; readonly pattern: string | undefined }
  | { readonly kind: 'number'; readonly isWhole: boolean; readonly min: number; readonly max: number }
  | { readonly kind: 'yes_no' }
  | { readonly kind: 'choice'; readonly options: readonly Json[] }
  | { readonly kind: 'list'; readonly item: Plan; readonly min: number; readonly max: number }
  | GroupPlan
  | { readonly kind: 'map'; readonly value: Plan; readonly nameMax: number; readonly max: number }
  | { readonly kind: 'union'; readonly options: readonly { readonly label: string; readonly plan: Plan }[] }
  | { readonly kind: 'any' }
)

export interface GroupPlan {
  readonly kind: 'group'
  readonly fields: readonly PlannedField[]
  readonly description?: string | undefined
  readonly start?: Json | undefined
}

export interface PlannedField {
  readonly name: string
  readonly isRequired: boolean
  readonly plan: Plan
}

const Count = v.optional(v.number())
const Node = v.looseObject({
  $ref: v.optional(v.string()),
  type: v.optional(v.union([v.string(), v.array(v.string())])),
  title: v.optional(v.string()),
  description: v.optional(v.string()),
  enum: v.optional(v.array(v.unknown())),
  anyOf: v.optional(v.array(v.unknown())),
  oneOf: v.optional(v.array(v.unknown())),
  properties: v.optional(v.record(v.string(), v.unknown())),
  required: v.optional(v.array(v.string()), []),
  propertyNames: v.optional(v.looseObject({ maxLength: Count })),
  minLength: Count,
  maxLength: Count,
  pattern: v.optional(v.string()),
  minimum: Count,
  maximum: Count,
  minItems: Count,
  maxItems: Count,
  maxProperties: Count,
})
type Node = v.InferOutput<typeof Node>

/** A schema that contains itself ends here as `any`. */
const DEPTH_MAX = 8

/** What cannot be offered piece by piece (a schema of another kind, or none) is `any`: a value written as JSON. */
export function toPlan(schema: unknown, root: unknown = schema, depth = 0): Plan {
  const parsed = v.safeParse(Node, schema)
  if (!parsed.success || depth > DEPTH_MAX) return { kind: 'any' }
  const node = parsed.output
  if (node.$ref !== undefined) return toPlan(findReferred(root, node.$ref), root, depth + 1)
  const shape = shapeOf(node, (inner) => toPlan(inner, root, depth + 1))
  return {
    ...shape,
    ...(node.description === undefined ? {} : { description: node.description }),
    ...('default' in node ? { start: node.default as Json } : {}),
  }
}

/** The arguments of a tool: always an object. */
export function toArgumentsPlan(schema: unknown): GroupPlan {
  const plan = toPlan(schema)
  return plan.kind === 'group' ? plan : { kind: 'group', fields: [] }
}

function shapeOf(node: Node, toInner: (schema: unknown) => Plan): Plan {
  if ('const' in node) return { kind: 'choice', options: [node.const as Json] }
  if (node.enum !== undefined) return { kind: 'choice', options: node.enum as Json[] }
  const alternatives = node.anyOf ?? node.oneOf ?? alternativesOfTypes(node)
  if (alternatives !== undefined) {
    return { kind: 'union', options: alternatives.map((inner, index) => labelled(inner, index, toInner)) }
  }
  const { minimum = -Infinity, maximum = Infinity } = node
  switch (node.type) {
    case 'string':
      return { kind: 'text', min: node.minLength ?? 0, max: node.maxLength ?? Infinity, pattern: node.pattern }
    case 'integer':
    case 'number':
      return { kind: 'number', isWhole: node.type === 'integer', min: minimum, max: maximum }
    case 'boolean':
      return { kind: 'yes_no' }
    case 'null':
      return { kind: 'choice', options: [null] }
    case 'array':
      return { kind: 'list', item: toInner(node.items), min: node.minItems ?? 0, max: node.maxItems ?? Infinity }
    case 'object':
      return ofObject(node, toInner)
    default:
      return { kind: 'any' }
  }
}

function ofObject(node: Node, toInner: (schema: unknown) => Plan): Plan {
  const { properties, additionalProperties } = node
  if (properties === undefined) {
    if (additionalProperties === false) return { kind: 'group', fields: [] }
    const value = toInner(typeof additionalProperties === 'object' ? additionalProperties : {})
    return {
      kind: 'map',
      value,
      nameMax: node.propertyNames?.maxLength ?? Infinity,
      max: node.maxProperties ?? Infinity,
    }
  }
  const fields = Object.entries(properties).map(([name, inner]) => ({
    name,
    isRequired: node.required.includes(name),
    plan: toInner(inner),
  }))
  return { kind: 'group', fields }
}

/** `type: ['string', 'null']` is the union of both. */
const alternativesOfTypes = (node: Node): unknown[] | undefined =>
  Array.isArray(node.type) ? node.type.map((type) => ({ ...node, type, description: undefined })) : undefined

function labelled(schema: unknown, index: number, toInner: (schema: unknown) => Plan) {
  const plan = toInner(schema)
  const title = v.safeParse(v.looseObject({ title: v.string() }), schema)
  return { label: title.success ? title.output.title : `${kindWords[plan.kind]} (${index + 1})`, plan }
}

const kindWords: Readonly<Record<Plan['kind'], string>> = {
  text: 'Text',
  number: 'Number',
  yes_no: 'Yes or no',
  choice: 'One of some',
  list: 'List',
  group: 'Fields',
  map: 'Names and values',
  union: 'One of several forms',
  any: 'JSON',
}

/** Only within the same schema: `#/$defs/Name`. */
function findReferred(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined
  let at = root
  for (const part of reference.slice(2).split('/')) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? at[name as keyof typeof at] : undefined
  }
  return at
}
