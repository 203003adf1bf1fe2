import { RE2JS } from 're2js'

/** A regular expression of a hook's configuration, searched for in a path. */
export type PathPattern = (path: string) => boolean

/** Longer than any that a person wrote. */
const CHARACTERS_MAX = 10_000

/**
 * Reads an expression in Python's notation on RE2, which takes time in proportion to its input whatever the expression.
 * Null where RE2 has no such thing (look-around, back-references), or it is no expression at all.
 */
export function parsePythonPattern(expression: string): PathPattern | null {
  if (expression.length > CHARACTERS_MAX) return null
  const verbose = /^\s*\(\?([aimsux]*)\)/.exec(expression)
  const flags = verbose?.[1] ?? ''
  const rest = verbose === null ? expression : expression.slice(verbose[0].length)
  const kept = [...flags].filter((flag) => 'ims'.includes(flag)).join('')
  const body = flags.includes('x') ? withoutLayout(rest) : rest
  try {
    const pattern = RE2JS.compile(`${kept === '' ? '' : `(?${kept})`}${body.replaceAll('\\Z', '\\z')}`)
    return (path) => pattern.matcher(path).find()
  } catch {
    return null
  }
}

/** Takes out what Python's `x` flag has it pass over: blanks and comments, but not where they are escaped or in brackets. */
function withoutLayout(expression: string): string {
  let kept = ''
  let inBrackets = false
  for (let at = 0; at < expression.length; at += 1) {
    const character = expression[at] ?? ''
    if (character === '\\') {
      const next = expression[at + 1] ?? ''
      // RE2 knows no escaped blank.
      kept += /\s/.test(next) ? next : character + next
      at += 1
    } else if (inBrackets) {
      kept += character
      if (character === ']' && !/\[\^?$/.test(kept.slice(0, -1))) inBrackets = false
    } else if (character === '#') {
      const end = expression.indexOf('\n', at)
      at = end === -1 ? expression.length : end
    } else if (!/\s/.test(character)) {
      kept += character
      inBrackets = character === '['
    }
  }
  return kept
}
