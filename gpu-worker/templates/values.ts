import { RE2JS } from 're2js'
import { snakeCase, whyNoIdentifier } from './names.ts'
import { type ObjectField, type Scalar, TEXT_CHARACTERS_DEFAULT, type Variable, type Variables } from './spec.ts'

/** What is wrong, and with which value: `fields.0.name`. No message repeats the value. */
export interface ValueProblem {
  readonly where: string
  readonly message: string
}

export type Values = Readonly<Record<string, unknown>>

/** Objects for Liquid: what they inherit is nobody's business. */
const bare = (): Record<string, unknown> => Object.create(null)

/**
 * The values of all variables: those that are given, defaults for the others. Whatever the values are, they are of the
 * types that the template says, and hold no NUL and no half of a surrogate pair.
 */
export function readValues(
  variables: Variables,
  given: Readonly<Record<string, unknown>>,
): { readonly values: Values } | { readonly problems: readonly ValueProblem[] } {
  const problems: ValueProblem[] = []
  const values = readMembers(variables, given, '', problems, readValue)
  return problems.length === 0 ? { values } : { problems }
}

/** The members of an object, or all variables: each is given or has a default, and there are no others. */
function readMembers<Kind extends { default?: unknown }>(
  kinds: Readonly<Record<string, Kind>>,
  given: Readonly<Record<string, unknown>>,
  prefix: string,
  problems: ValueProblem[],
  read: (kind: Kind, value: unknown, where: string, problems: ValueProblem[]) => unknown,
): Values {
  const values = bare()
  for (const [name, kind] of Object.entries(kinds)) {
    const where = `${prefix}${name}`
    const value = Object.hasOwn(given, name) ? given[name] : kind.default
    if (value === undefined) problems.push({ where, message: 'is missing' })
    else values[name] = read(kind, value, where, problems)
  }
  const known = Object.keys(kinds).join(', ') || 'none'
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(kinds, name))
  if (unknown.length > 0)
    problems.push({
      where: `${prefix}${unknown[0]?.replace(/\p{C}/gu, '\ufffd').slice(0, 60)}`,
      message: `is not known here; there are: ${known}`,
    })
  return values
}

/** A value as templates get it, also where it is wrong: then something stands in `problems`. */
export function readValue(variable: Variable, value: unknown, where: string, problems: ValueProblem[]): unknown {
  if (variable.type === 'list') {
    const items = readItems(variable, value, where, problems)
    return items.map((item, index) => readScalar(variable.items, item, `${where}.${index}`, problems))
  }
  if (variable.type !== 'objects') return readScalar(variable, value, where, problems)
  const objects = readItems(variable, value, where, problems).map((item, index) =>
    readObject(variable.fields, item, `${where}.${index}`, problems),
  )
  if (variable.unique !== undefined) refuseTwins(objects, variable.unique, where, problems)
  return objects
}

interface Counted {
  readonly min_items?: number | undefined
  readonly max_items?: number | undefined
}

const ITEMS_DEFAULT = 100

function readItems(
  { min_items, max_items }: Counted,
  value: unknown,
  where: string,
  problems: ValueProblem[],
): unknown[] {
  if (!Array.isArray(value)) {
    problems.push({ where, message: 'must be a list' })
    return []
  }
  const most = max_items ?? ITEMS_DEFAULT
  if (value.length < (min_items ?? 0)) problems.push({ where, message: `must have at least ${min_items} items` })
  if (value.length > most) problems.push({ where, message: `must have at most ${most} items, has ${value.length}` })
  return value.slice(0, most)
}

function readObject(
  fields: Readonly<Record<string, ObjectField>>,
  value: unknown,
  where: string,
  problems: ValueProblem[],
): Values {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return readMembers(fields, value as Record<string, unknown>, `${where}.`, problems, readScalar)
  problems.push({ where, message: `must be an object with ${Object.keys(fields).join(', ')}` })
  return bare()
}

/** Names that differ only in how their words are put together become one name where a filter puts them together. */
function refuseTwins(objects: readonly Values[], field: string, where: string, problems: ValueProblem[]): void {
  const seen = new Set<string>()
  for (const [index, object] of objects.entries()) {
    const value = object[field]
    if (typeof value !== 'string') continue
    const key = snakeCaseOf(value)
    if (seen.has(key)) problems.push({ where: `${where}.${index}.${field}`, message: 'is there twice' })
    seen.add(key)
  }
}

/** A text without a letter or digit is what it is. */
const snakeCaseOf = (text: string): string => (/[A-Za-z0-9]/.test(text) ? snakeCase(text) : text)

function readScalar(kind: Scalar | ObjectField, value: unknown, where: string, problems: ValueProblem[]): unknown {
  const message = whyNot(kind, value)
  if (message !== null) problems.push({ where, message })
  return value
}

function whyNot(kind: Scalar | ObjectField, value: unknown): string | null {
  switch (kind.type) {
    case 'boolean':
      return typeof value === 'boolean' ? null : 'must be true or false'
    case 'integer':
      return whyNoInteger(kind, value)
    case 'choice':
      return typeof value === 'string' && kind.choices.includes(value)
        ? null
        : `must be one of: ${kind.choices.join(', ')}`
    case 'identifier':
      if (typeof value !== 'string') return 'must be a text'
      if (kind.reserved?.some((name) => snakeCaseOf(name) === snakeCaseOf(value)) === true)
        return 'is a name that the template needs for itself'
      return whyNoIdentifier(value) ?? whyNoMatch(kind.pattern, value)
    case 'data':
      return whyNoData(value, 0)
    case 'string':
      return typeof value === 'string' ? whyNoText(kind, value) : 'must be a text'
  }
}

function whyNoInteger({ minimum, maximum }: Extract<Scalar, { type: 'integer' }>, value: unknown): string | null {
  if (!Number.isSafeInteger(value)) return 'must be a whole number'
  if (minimum !== undefined && Number(value) < minimum) return `must be at least ${minimum}`
  return maximum !== undefined && Number(value) > maximum ? `must be at most ${maximum}` : null
}

function whyNoText(
  { pattern, min_length, max_length }: Extract<Scalar, { type: 'string' }>,
  value: string,
): string | null {
  const most = max_length ?? TEXT_CHARACTERS_DEFAULT
  if (value.length > most) return `must have at most ${most} characters, has ${value.length}`
  if (value.length < (min_length ?? 0)) return `must have at least ${min_length} characters`
  return whyNotShown(value) ?? whyNoMatch(pattern, value)
}

function whyNotShown(text: string): string | null {
  if (text.includes('\0')) return 'must not have NUL characters'
  return text.isWellFormed() ? null : 'must not have half a surrogate pair'
}

const DEPTH_MAX = 20

/** Any JSON value: its texts have nothing that no file can hold, and it is not too deep to be written. */
function whyNoData(value: unknown, depth: number): string | null {
  if (depth > DEPTH_MAX) return `must not be nested more than ${DEPTH_MAX} levels deep`
  if (typeof value === 'string') return whyNotShown(value)
  if (typeof value !== 'object' || value === null) return null
  for (const [key, inside] of Object.entries(value)) {
    const reason = whyNotShown(key) ?? whyNoData(inside, depth + 1)
    if (reason !== null) return reason
  }
  return null
}

function whyNoMatch(pattern: string | undefined, value: string): string | null {
  if (pattern === undefined) return null
  try {
    return RE2JS.compile(pattern).matches(value) ? null : `must match ${pattern}`
  } catch {
    return 'cannot be judged: the pattern of the template is no RE2 expression'
  }
}
