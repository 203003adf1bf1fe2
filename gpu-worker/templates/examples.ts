import type { ObjectField, Scalar, Variable, Variables } from './spec.ts'

/** Values for all variables, as a caller would give them. */
export type ExampleSet = Readonly<Record<string, unknown>>

const SETS_MAX = 10

/**
 * One set of values for each example that a variable has: the first set takes the first example of each, and so on; a
 * variable with fewer begins again. The last set gives only what must be given. Null stands for a variable that has neither an
 * example nor a default.
 */
export function exampleSets(variables: Variables): readonly ExampleSet[] {
  const kinds = Object.entries(variables)
  const rounds = Math.min(SETS_MAX, Math.max(1, ...kinds.map(([, { examples }]) => examples?.length ?? 0)))
  const sets = Array.from({ length: rounds }, (_, round) =>
    Object.fromEntries(kinds.map(([name, kind]) => [name, exampleOf(kind, round)])),
  )
  const required = kinds.filter(([, kind]) => kind.default === undefined)
  return required.length === kinds.length
    ? sets
    : [...sets, Object.fromEntries(required.map(([name, kind]) => [name, exampleOf(kind, 0)]))]
}

/** Names of the variables for which nobody says a value. */
export const withoutExample = (variables: Variables): string[] =>
  Object.entries(variables)
    .filter(([, kind]) => exampleOf(kind, 0) === undefined)
    .map(([name]) => name)

function exampleOf(kind: Variable, round: number): unknown {
  const { examples = [] } = kind
  if (examples.length > 0) return examples[round % examples.length]
  if (kind.default !== undefined) return kind.default
  // What can be known without asking.
  if (kind.type === 'boolean') return round % 2 === 0
  return kind.type === 'choice' ? kind.choices[round % kind.choices.length] : undefined
}

/** Everything that ends a string, a comment, a line or an expression of a language that we know. */
export const HOSTILE_TEXT = `x" ' \\ \` */ """ ''' \${process.exit(1)} <%= 1 %> {{ 7 | times: 7 }} {% raw %} --> # // \n\r\u2028\u202e\u0085 ) ] } ; \\`

/** The same values with every free text replaced by a hostile one; those with a pattern stay, since they have one. */
export function hostileSet(variables: Variables, example: ExampleSet): ExampleSet {
  return Object.fromEntries(
    Object.entries(example).map(([name, value]) => {
      const kind = variables[name]
      return [name, kind === undefined ? value : spoil(kind, value)]
    }),
  )
}

function spoil(kind: Variable, value: unknown): unknown {
  if (kind.type === 'list') return Array.isArray(value) ? value.map((item) => spoilScalar(kind.items, item)) : value
  if (kind.type !== 'objects') return spoilScalar(kind, value)
  if (!Array.isArray(value)) return value
  return value.map((object: unknown) =>
    Object.fromEntries(
      Object.entries(kind.fields).flatMap(([name, field]) => {
        const own: unknown = Object(object)[name] ?? field.default
        return own === undefined ? [] : [[name, spoilScalar(field, own)]]
      }),
    ),
  )
}

function spoilScalar(kind: Scalar | ObjectField, value: unknown): unknown {
  if (kind.type === 'data') return { [HOSTILE_TEXT]: [HOSTILE_TEXT, value] }
  if (kind.type !== 'string' || kind.pattern !== undefined) return value
  const most = kind.max_length ?? HOSTILE_TEXT.length
  return most >= HOSTILE_TEXT.length ? HOSTILE_TEXT : HOSTILE_TEXT.slice(0, most)
}
