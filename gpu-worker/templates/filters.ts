import {
  blockComment,
  commentText,
  docstring,
  jsonText,
  markdownCode,
  markdownFence,
  markdownText,
  pyData,
  pyString,
  tsData,
  tsString,
} from './literals.ts'
import { camelCase, constantCase, kebabCase, pascalCase, snakeCase, titleOf } from './names.ts'

/** What one of our filters has made fit to be printed. Every other filter turns it into a plain text again. */
class Printable {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** Words, names, paths: nothing that could be more than a name where it is printed. */
const PLAIN = /^(?:[A-Za-z0-9_]+(?:[./-][A-Za-z0-9_]+)*)?$/

/**
 * What `{{ … }}` prints. A text that has not been through a filter which says what it is printed into stops the rendering,
 * unless it is a mere word: an author who forgets a filter gets a refusal, and never a value that has become code.
 */
export function print(value: unknown): string {
  if (value instanceof Printable) return value.toString()
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  if (typeof value === 'string' && PLAIN.test(value)) return value
  if (typeof value === 'string')
    throw new Error(
      'a value that is more than a word is printed as it is; say what it becomes, as in {{ x | py_string }}',
    )
  throw new Error('only texts, numbers and booleans can be printed; go through a list with {% for %}')
}

type Filter = (value: unknown, argument?: unknown) => unknown

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new Error('this filter takes a text')
}

/** The second argument of a filter: columns that the text stands to the right. */
function indentOf(argument: unknown): number {
  if (argument === undefined) return 0
  if (Number.isSafeInteger(argument) && Number(argument) >= 0 && Number(argument) <= 80) return Number(argument)
  throw new Error('an indentation is a number of columns from 0 to 80')
}

const printed =
  (make: (text: string, indent: number) => string): Filter =>
  (value, argument) =>
    new Printable(make(textOf(value), indentOf(argument)))
const named =
  (make: (text: string) => string): Filter =>
  (value) =>
    make(textOf(value))

/** Filters of our own. docs/templates.md has a line for each. */
export const ownFilters: Readonly<Record<string, Filter>> = {
  py_string: printed(pyString),
  py_data: (value) => new Printable(pyData(value)),
  docstring: printed(docstring),
  ts_string: printed(tsString),
  ts_data: (value) => new Printable(tsData(value)),
  jsdoc: printed(blockComment),
  json: (value) => new Printable(jsonText(value)),
  comment: printed(commentText),
  md: printed(markdownText),
  md_code: printed(markdownCode),
  md_fence: (value, language) => new Printable(markdownFence(textOf(value), print(language ?? ''))),
  snake_case: named(snakeCase),
  camel_case: named(camelCase),
  pascal_case: named(pascalCase),
  constant_case: named(constantCase),
  kebab_case: named(kebabCase),
  words: (value) => new Printable(titleOf(textOf(value))),
}

/**
 * Of Liquid's own filters those that do not look at clock, chance or HTML, evaluate no expression, and count what they
 * make against the limits.
 */
export const liquidFilters: readonly string[] = [
  'append',
  'capitalize',
  'compact',
  'concat',
  'default',
  'divided_by',
  'downcase',
  'first',
  'last',
  'map',
  'minus',
  'modulo',
  'plus',
  'prepend',
  'remove',
  'replace',
  'reverse',
  'size',
  'sort',
  'strip',
  'times',
  'truncate',
  'uniq',
  'upcase',
  'where',
]

/** Tags that neither read a file nor print what `print` has not seen. `render` knows the template's own bodies alone. */
export const liquidTags: readonly string[] = [
  '#',
  'assign',
  'break',
  'case',
  'comment',
  'continue',
  'for',
  'if',
  'raw',
  'render',
  'unless',
]

/** For the author of a text that is wrong: what there is to write one with. */
export const FORM_HINT = `Tags: ${liquidTags.join(', ')}. Filters: ${[...Object.keys(ownFilters), ...liquidFilters].join(', ')}`
