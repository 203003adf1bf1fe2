import { AppError } from '#shared/errors.ts'

/**
 * The words of a command line as pre-commit reads an `entry`: quotes and backslashes as in a POSIX shell, and nothing else
 * of a shell (no variables, patterns, pipes). Throws `invalid_input` where a quote is not closed.
 */
export function splitWords(text: string): string[] {
  const words: string[] = []
  let word: string | null = null
  let quote: '"' | "'" | null = null
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? ''
    const next = text[at + 1]
    if (
      character === '\\' &&
      quote !== "'" &&
      next !== undefined &&
      (quote === null || next === '"' || next === '\\')
    ) {
      word = (word ?? '') + next
      at += 1
    } else if (quote === null && /\s/.test(character)) {
      if (word !== null) words.push(word)
      word = null
    } else if (quote === null && (character === '"' || character === "'")) {
      quote = character
      word ??= ''
    } else if (character === quote) quote = null
    else word = (word ?? '') + character
  }
  if (quote !== null) throw new AppError('invalid_input', 'Cannot read a command line: a quote is not closed')
  if (word !== null) words.push(word)
  return words
}
