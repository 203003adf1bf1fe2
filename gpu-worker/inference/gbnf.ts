/** Parts of grammars in llama.cpp's notation (GBNF). */

/** A text as it stands. */
export const literal = (text: string): string =>
  `"${text.replace(/["\\\n\r\t]/g, (each) => escapes[each] ?? `\\${each}`)}"`

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** One of several. */
export const oneOf = (alternatives: readonly string[]): string => `(${alternatives.join(' | ')})`

/**
 * The whole numbers from `low` to `high`, both included, without leading zeros. Its size grows with the digits, not with
 * the range. Throws RangeError where there is none, or where one is no whole number from 0 on.
 */
export function numberBetween(low: number, high: number): string {
  if (!(Number.isSafeInteger(low) && Number.isSafeInteger(high) && low >= 0 && low <= high)) {
    throw new RangeError(`There is no number from ${low} to ${high}`)
  }
  const alternatives: string[] = []
  for (let digits = String(low).length; digits <= String(high).length; digits++) {
    const least = Math.max(low, digits === 1 ? 0 : 10 ** (digits - 1))
    const most = Math.min(high, 10 ** digits - 1)
    alternatives.push(...sameLength(String(least), String(most)))
  }
  return oneOf(alternatives)
}

/** Alternatives for the numbers between two with as many digits. */
function sameLength(low: string, high: string): string[] {
  if (low === '') return ['']
  const [first, last] = [Number(low[0]), Number(high[0])]
  const [lowRest, highRest] = [low.slice(1), high.slice(1)]
  const zeros = '0'.repeat(lowRest.length)
  const nines = '9'.repeat(lowRest.length)
  if (first === last) return under(literal(String(first)), sameLength(lowRest, highRest))
  // What lies between needs no look at the digits behind it.
  const from = lowRest === zeros ? first : first + 1
  const to = highRest === nines ? last : last - 1
  return [
    ...(from === first ? [] : under(literal(String(first)), sameLength(lowRest, nines))),
    ...(from > to ? [] : [`[${from}-${to}]${lowRest === '' ? '' : ` [0-9]{${lowRest.length}}`}`]),
    ...(to === last ? [] : under(literal(String(last)), sameLength(zeros, highRest))),
  ]
}

const under = (digit: string, rests: readonly string[]): string[] =>
  rests.length === 1 ? [`${digit} ${rests[0]}`.trim()] : [`${digit} ${oneOf(rests)}`]
