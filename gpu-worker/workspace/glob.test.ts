import { describe, expect, it } from 'vitest'
import { createGlob } from './glob.ts'

describe('createGlob', () => {
  it.each([
    ['*.py', 'a.py', true],
    ['*.py', 'src/deep/a.py', true],
    ['*.py', 'a.pyc', false],
    ['src/*.py', 'src/a.py', true],
    ['src/*.py', 'src/deep/a.py', false],
    ['src/**', 'src/deep/a.py', true],
    ['**/*.ts', 'a.ts', true],
    ['**/*.ts', 'x/y/a.ts', true],
    ['**/test/*.ts', 'a/test/b.ts', true],
    ['./src/a.ts', 'src/a.ts', true],
    ['file?.txt', 'file1.txt', true],
    ['file?.txt', 'file12.txt', false],
    ['[ab].txt', 'b.txt', true],
    ['[!ab].txt', 'b.txt', false],
    ['*.{ts,tsx}', 'view.tsx', true],
    ['*.{ts,tsx}', 'view.jsx', false],
    ['a.b', 'axb', false],
    ['a+b(c)', 'a+b(c)', true],
  ])('%s on %s is %s', (glob, path, expected) => {
    expect(createGlob(glob)(path)).toBe(expected)
  })

  it('refuses brackets and braces that do not close', () => {
    expect(() => createGlob('[ab')).toThrow('Cannot read glob')
    expect(() => createGlob('{a,b')).toThrow('Cannot read glob')
  })

  it('answers at once where a backtracking matcher would not', () => {
    const glob = createGlob(`${'*a'.repeat(40)}b`)
    expect(glob('a'.repeat(200))).toBe(false)
  })
})
