import { describe, expect, it } from 'vitest'
import { stepOf } from './complexity-scale.ts'
import { layOutFiles } from './file-map.ts'

const box = { x: 0, y: 0, width: 800, height: 600 }
const file = (path: string, lines: number) => ({ path, lines, functions: null, cyclomatic: null, cognitive: null })
const files = [
  file('README.md', 20),
  file('src/a.py', 300),
  file('src/deep/down/here.py', 200),
  file('src/deep/down/there.py', 100),
  file('src/empty.py', 0),
  file('srcs/other.py', 50),
]

const shown = (folder: string): string[] => layOutFiles(files, folder, box).map(({ kind, path }) => `${kind} ${path}`)

describe('layOutFiles', () => {
  it('shows folders before what is in them, and one that holds only another as that one', () => {
    expect(shown('')).toEqual([
      'folder src',
      'file src/a.py',
      'folder src/deep/down',
      'file src/deep/down/here.py',
      'file src/deep/down/there.py',
      'folder srcs',
      'file srcs/other.py',
      'file README.md',
    ])
  })

  it('shows a folder alone, and not one whose name begins the same', () => {
    expect(shown('src')).toEqual([
      'file src/a.py',
      'folder src/deep/down',
      'file src/deep/down/here.py',
      'file src/deep/down/there.py',
    ])
    expect(shown('nowhere')).toEqual([])
  })

  it('keeps what is in a folder within its frame', () => {
    const tiles = layOutFiles(files, '', box)
    const frame = tiles.find(({ path }) => path === 'src/deep/down')?.box
    const inside = tiles.find(({ path }) => path === 'src/deep/down/here.py')?.box
    if (frame === undefined || inside === undefined) throw new Error('Not laid out')
    expect(inside.x).toBeGreaterThan(frame.x)
    expect(inside.y).toBeGreaterThan(frame.y + 17)
    expect(inside.x + inside.width).toBeLessThan(frame.x + frame.width)
    expect(inside.y + inside.height).toBeLessThan(frame.y + frame.height)
  })

  it('names pieces from the folder around them', () => {
    expect(layOutFiles(files, '', box).map(({ name }) => name)).toEqual([
      'src',
      'a.py',
      'deep/down',
      'here.py',
      'there.py',
      'srcs',
      'other.py',
      'README.md',
    ])
  })

  it('leaves out what nobody could see, and the name of a folder that has no room for it', () => {
    const many = Array.from({ length: 40_000 }, (_each, index) => file(`all/f${index}.py`, 10))
    expect(layOutFiles(many, '', box).length).toBeLessThan(3)
    const small = [file('a.py', 300), file('b/c.py', 5), file('b/d.py', 5)]
    expect(layOutFiles(small, '', box)).toMatchObject([
      { path: 'a.py' },
      { path: 'b', kind: 'folder', hasName: false },
      { path: 'b/c.py' },
      { path: 'b/d.py' },
    ])
  })
})

describe('stepOf', () => {
  it('finds the step, bounds included', () => {
    expect([null, 0, 3, 4, 15, 16, 25, 26, 900].map(stepOf)).toEqual([null, 0, 0, 1, 2, 3, 3, 4, 4])
  })
})
