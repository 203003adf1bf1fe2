import type { AnswerSchema } from '../ports/answer-grammar.ts'
import { literal, numberBetween, oneOf } from './gbnf.ts'

/** The engine's own limit for a repetition. */
const REPEATS_MAX = 2000

/**
 * A grammar for the JSON of a schema: keys in the order of the schema, white space in bounds, nothing behind the value.
 *
 * In place of the engine's own, whose integers may have exponents, whose strings end nowhere, and which allows line ends
 * behind the value for ever. Characters beyond U+FFFF cannot be written: a bound in UTF-16 units then holds as it stands.
 * Throws RangeError for bounds that are none.
 */
export function jsonGrammar(schema: AnswerSchema): string {
  const items: string[] = []
  return [
    `root ::= ${toRule(schema, items)}`,
    ...items,
    'ws ::= ([ ] | "\\n" [ ]{0,16})?',
    'character ::= [^"\\\\\\x00-\\x1F\\x7F\\uD800-\\uDFFF\\U00010000-\\U0010FFFF] | "\\\\" ["\\\\/bfnrt] | "\\\\u" code',
    'code ::= [0-9a-cefA-CEF] hex hex hex | [dD] [0-7] hex hex',
    'hex ::= [0-9a-fA-F]',
    '',
  ].join('\n')
}

/**
 * What stands in a list gets a rule of its own, which is added to `items`: the engine multiplies the repetitions of what is
 * written out within another, and refuses more than 2,000 of them.
 */
function toRule(schema: AnswerSchema, items: string[]): string {
  switch (schema.type) {
    case 'string':
      if ('enum' in schema) return oneOf(bounded(schema.enum).map((each) => literal(JSON.stringify(each))))
      return `"\\"" character{0,${within(schema.maxLength)}} "\\""`
    case 'integer':
      return integer(schema.minimum, schema.maximum)
    case 'boolean':
      return '("true" | "false")'
    case 'array':
      return list(addItem(schema.items, items), within(schema.minItems), within(schema.maxItems))
    case 'object': {
      const members = Object.entries(schema.properties).map(
        ([key, value]) => `${literal(`${JSON.stringify(key)}:`)} ws ${toRule(value, items)}`,
      )
      return `("{" ws ${members.join(' "," ws ')} ws "}")`
    }
  }
}

function integer(minimum: number, maximum: number): string {
  const alternatives = [
    ...(minimum < 0 ? [`"-" ${numberBetween(Math.max(1, -maximum), -minimum)}`] : []),
    ...(maximum >= 0 ? [numberBetween(Math.max(0, minimum), maximum)] : []),
  ]
  return oneOf(alternatives)
}

function addItem(schema: AnswerSchema, items: string[]): string {
  const rule = toRule(schema, items)
  const name = `item${items.length + 1}`
  items.push(`${name} ::= ${rule}`)
  return name
}

function list(item: string, least: number, most: number): string {
  if (least > most) throw new RangeError(`There is no list of ${least} to ${most} items`)
  const more = `("," ws ${item}){${Math.max(0, least - 1)},${most - 1}}`
  const some = most === 1 ? item : `${item} ${more}`
  if (most === 0) return '("[" ws "]")'
  return least === 0 ? `("[" ws (${some} ws)? "]")` : `("[" ws ${some} ws "]")`
}

function within(count: number): number {
  if (Number.isInteger(count) && count >= 0 && count <= REPEATS_MAX) return count
  throw new RangeError(`A bound of an answer must be a whole number up to ${REPEATS_MAX}, not ${count}`)
}

function bounded(values: readonly string[]): readonly string[] {
  if (values.length === 0) throw new RangeError('A choice between no values')
  return values
}
