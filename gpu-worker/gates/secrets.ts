import { createBag } from './bag.ts'
import type { Finding, Gate } from './gate.ts'
import { nextTurn } from './next-turn.ts'
import { type SecretPattern, secretPatterns } from './secret-patterns.ts'
import type { SecretsAllowed } from './settings.ts'

interface Found {
  readonly secret: string
  readonly at: number
  readonly pattern: SecretPattern
}

/** Of each pattern: what a model can mend in one round. Enough also to say that the rest is like it. */
const SHOWN_MAX = 5
/** Bits per character. Random base 64 of 16 characters has about 3.8, hexadecimal 3.2, words and paths less than 3.5. */
const ENTROPY_MIN = 3.5
const DIGIT = /\d/
/** What documentation and templates put in a secret's place. */
const PLACEHOLDER = /example|placeholder|changeme|change_me|dummy|sample|your[_-]|xxxx|\*\*\*|\.\.\.|[<>{}$]/i

/**
 * No secret gets into a file: what the change adds is an error, what was there before a warning. No message repeats the
 * secret, which would carry it into answers and logs.
 */
export function createSecretsGate({ values, files }: SecretsAllowed): Gate {
  const isAllowed = ({ secret, pattern }: Found): boolean =>
    PLACEHOLDER.test(secret) ||
    values.some((value) => value.matcher(secret).find()) ||
    (pattern.isGuess && !looksRandom(secret))
  return {
    rule: 'secrets',
    describe: () => null,
    async judge({ path, text, before }) {
      if (files.some((matches) => matches(path))) return { skipped: 'millwright.json excludes the file' }
      const old = createBag(before === null ? [] : (await find(before)).map(({ secret }) => secret))
      const found = (await find(text))
        .filter((each) => !isAllowed(each))
        .map((each) => ({ ...each, isOld: old.take(each.secret) }))
      const fresh = found.filter(({ isOld }) => !isOld).slice(0, SHOWN_MAX)
      const rest = found.filter(({ isOld }) => isOld).slice(0, SHOWN_MAX)
      return { findings: [...fresh, ...rest].map((each) => toFinding(each, text, each.isOld)) }
    },
  }
}

/** What matches, each place once: what a published shape explains is not guessed at again. */
async function find(text: string): Promise<Found[]> {
  const found: Found[] = []
  const explained = new Uint8Array(text.length)
  for (const pattern of secretPatterns) {
    if (!pattern.sign.test(text)) continue
    // A guess stands on one line, and words like "token" on many that hold none.
    for (const part of pattern.isGuess ? linesWith(pattern.sign, text) : [{ start: 0, text }]) {
      const matcher = pattern.pattern.matcher(part.text)
      while (matcher.find()) {
        const at = part.start + matcher.start(pattern.group)
        const end = part.start + matcher.end(pattern.group)
        if (pattern.isGuess && explained.subarray(at, end).includes(1)) continue
        explained.fill(1, at, end)
        found.push({ secret: text.slice(at, end), at, pattern })
      }
    }
    await nextTurn()
  }
  return found
}

/** The lines that have the sign, and where they start. */
function* linesWith(sign: RegExp, text: string): Generator<{ start: number; text: string }> {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    const line = text.slice(start, end)
    if (sign.test(line)) yield { start, text: line }
    start = end + 1
  }
}

function toFinding({ pattern, at }: Found, text: string, isOld: boolean): Finding {
  const start = text.lastIndexOf('\n', at - 1) + 1
  const message = `This looks like ${pattern.what}: take it out and read it from the environment when the program runs`
  return { message, line: lineAt(text, at), column: at - start + 1, isOld, isGuess: pattern.isGuess }
}

function lineAt(text: string, at: number): number {
  let line = 1
  for (let newline = text.indexOf('\n'); newline !== -1 && newline < at; newline = text.indexOf('\n', newline + 1))
    line++
  return line
}

/** Shannon's entropy of the characters, and a digit: sentences, paths and names have less or none. */
function looksRandom(value: string): boolean {
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length)
  return bits >= ENTROPY_MIN && DIGIT.test(value)
}
