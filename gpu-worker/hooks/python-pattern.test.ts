import { describe, expect, it } from 'vitest'
import { parsePythonPattern } from './python-pattern.ts'

describe('parsePythonPattern', () => {
  it.each([
    ['', 'a', true],
    ['^$', 'a', false],
    ['\\.py$', 'src/a.py', true],
    ['\\.py$', 'src/a.pyi', false],
    ['a\\.py\\Z', 'src/a.py', true],
    ['^src/(?P<name>[a-z]+)\\.py$', 'src/abc.py', true],
    ['(?i)README', 'docs/readme.md', true],
    ['(?x)^(\n  docs/.*|   # the docs\n  src/a\\ b[ #]c\\.py\n)$', 'docs/x.md', true],
    ['(?x)^(\n  docs/.*|   # the docs\n  src/a\\ b[ #]c\\.py\n)$', 'src/a b#c.py', true],
    ['(?x)^(\n  docs/.*|   # the docs\n  src/a\\ b[ #]c\\.py\n)$', 'src/ab#c.py', false],
    ['(?ix) ^ a []#] b $', 'A#B', true],
    ['^(a+)+$', `${'a'.repeat(5000)}!`, false],
  ])('finds %j in %j: %s', (expression, path, isFound) => {
    expect(parsePythonPattern(expression)?.(path)).toBe(isFound)
  })

  it.each(['(?!a)b', '(?<=a)b', '(a)\\1', '(', '[a', 'a{2,1}', '*', `${'a'.repeat(20_000)}`])(
    'has no way to search for %.20s',
    (expression) => {
      expect(parsePythonPattern(expression)).toBeNull()
    },
  )
})
