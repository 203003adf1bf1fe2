import { describe, expect, it } from 'vitest'
import { splitWords } from './words.ts'

describe('splitWords', () => {
  // What Python's shlex.split makes of them, which pre-commit uses.
  it.each([
    ['', []],
    ['  ruff   check\t--fix\n', ['ruff', 'check', '--fix']],
    [`bash -c 'exit "$1"' --`, ['bash', '-c', 'exit "$1"', '--']],
    [`a"b c"d'e f'`, ['ab cde f']],
    ['"" \'\'', ['', '']],
    ['a\\ b \\"c\\" "d\\"e" \'f\\g\'', ['a b', '"c"', 'd"e', 'f\\g']],
    ['"a\\b" "\\$x" "\\\\"', ['a\\b', '\\$x', '\\']],
    ['$(touch x); `y` | z > w && *', ['$(touch', 'x);', '`y`', '|', 'z', '>', 'w', '&&', '*']],
    ['漢字 "é 🙂"', ['漢字', 'é 🙂']],
  ])('reads %j', (text, words) => {
    expect(splitWords(text)).toEqual(words)
  })

  it.each(['"a', "it's", 'a "b\\"'])('refuses %j, where a quote is not closed', (text) => {
    expect(() => splitWords(text)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  })
})
