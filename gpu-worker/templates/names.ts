/** Names of code, in the forms that languages are used to. */

/** Words that name nothing in Python or TypeScript, or name something that must not be replaced. */
const reserved = new Set(
  [
    'False None True and as assert async await break class continue def del elif else except finally for from global if',
    'import in is lambda nonlocal not or pass raise return try while with yield',
    'case catch const debugger default delete do enum export extends false function implements instanceof interface let new',
    'null package private protected public static super switch this throw true typeof undefined var void',
    'arguments eval constructor prototype',
  ].flatMap((line) => line.split(' ')),
)

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/

/** Why a text cannot name something in code; null where it can. */
export function whyNoIdentifier(text: string): string | null {
  if (!IDENTIFIER.test(text)) return 'must be a name in code: 1 to 64 letters, digits and underscores, no digit first'
  if (reserved.has(text)) return 'is a word that Python or TypeScript keeps for itself'
  if (/^__.*__$/.test(text)) return 'has two underscores at both ends, which languages keep for themselves'
  return null
}

/** Throws a plain error where there is no letter or digit in it. */
function words(text: string): string[] {
  const found = text
    // Without a run of capitals within the pattern, which would be tried from each of them.
    .replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, ' ')
    .match(/[A-Za-z0-9]+/g)
  if (found === null) throw new Error('there is no letter or digit to make a name of')
  return found.map((word) => word.toLowerCase())
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
/** A name that code can use: no keyword, no digit first. */
const usable = (name: string): string => (reserved.has(name) ? `${name}_` : /^[0-9]/.test(name) ? `_${name}` : name)

export const snakeCase = (text: string): string => usable(words(text).join('_'))
export const constantCase = (text: string): string => usable(words(text).join('_').toUpperCase())
export const kebabCase = (text: string): string => words(text).join('-')
export const pascalCase = (text: string): string => usable(words(text).map(capital).join(''))
export const camelCase = (text: string): string =>
  usable(
    words(text)
      .map((word, index) => (index === 0 ? word : capital(word)))
      .join(''),
  )
/** `User name` of `user_name`: for headings and messages. */
export const titleOf = (text: string): string => capital(words(text).join(' '))
