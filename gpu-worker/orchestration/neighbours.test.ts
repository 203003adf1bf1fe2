import { describe, expect, it } from 'vitest'
import { findNeighbours } from './neighbours.ts'

const pairs = (files: Record<string, string>): string[] =>
  findNeighbours(Object.entries(files).map(([path, text]) => ({ path, text }))).map((pair) => pair.join(' '))

describe('files that may import one another', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['Python, by name', { 'a.py': 'from b import x\n', 'b.py': 'x = 1\n', 'c.py': 'y = 2\n' }, ['a.py b.py']],
    ['Python, relative', { 'p/a.py': 'x = 1\n', 'p/b.py': 'from .a import x\n' }, ['p/a.py p/b.py']],
    ['Python, a package by its folder', { 'm.py': 'import shop\n', 'shop/__init__.py': '' }, ['m.py shop/__init__.py']],
    ['JavaScript', { 'src/a.js': "import './b.js'\n", 'src/b.js': '', 'src/c.js': '' }, ['src/a.js src/b.js']],
    [
      'JavaScript, a folder’s index',
      { 'a.ts': "export * from './shop'\n", 'shop/index.ts': '' },
      ['a.ts shop/index.ts'],
    ],
    [
      'names with dashes',
      { 'a.ts': "import { x } from './line-edits.ts'\n", 'line-edits.ts': '' },
      ['a.ts line-edits.ts'],
    ],
    [
      'Go, files of one folder',
      { 'a/x.go': 'package a\n', 'a/y.go': 'package a\n', 'b/z.go': 'package b\n' },
      ['a/x.go a/y.go'],
    ],
    ['both ways, once', { 'a.py': 'import b\n', 'b.py': 'import a\n' }, ['a.py b.py']],
    ['none', { 'a.py': 'x = 1\n', 'b.py': 'y = 2\n' }, []],
  ])('%s', (_name, files, expected) => {
    expect(pairs(files)).toEqual(expected)
  })
})
