import { describe, expect, it } from 'vitest'
import { toChangeKind } from './change-words.ts'
import { toTreeAction } from './tree-keys.ts'
import { type FolderContent, foldersOf, globOfFolder, isIn, type TreeEntry, toTreeRows } from './tree-rows.ts'

const file = (path: string, owner: string | null = null): TreeEntry => ({ path, kind: 'file', bytes: 1, owner })
const folder = (path: string): TreeEntry => ({ path, kind: 'folder', bytes: null, owner: null })
const content = (...entries: TreeEntry[]): FolderContent => ({
  entries,
  isWhole: true,
  problem: null,
  isLoading: false,
})
const folders = new Map([
  ['', content(file('b10.py'), file('b9.py', 'writer'), folder('src'), folder('docs'))],
  ['src', content(file('src/x.py'), folder('src/in'))],
  ['src/in', content()],
])
const open = new Set(['src', 'src/in'])
const rows = toTreeRows(folders, open)
const shown = (found: typeof rows) =>
  found.map((row) => (row.kind === 'entry' ? `${'  '.repeat(row.level - 1)}${row.name}` : `${row.level} ${row.text}`))

describe('the tree', () => {
  it('has folders first, what is open in its place, and numbers in their order', () => {
    expect(shown(rows)).toEqual(['docs', 'src', '  in', '3 Empty', '  x.py', 'b9.py', 'b10.py'])
    expect(rows[4]).toMatchObject({ level: 2, position: 2, setSize: 2 })
  })

  it('says what stands in the way of a folder', () => {
    const partly = new Map<string, FolderContent>([
      ['', { ...content(folder('a'), folder('b')), isWhole: false }],
      ['a', { ...content(), problem: 'No worker is connected' }],
    ])
    expect(shown(toTreeRows(partly, new Set(['a', 'b'])))).toEqual([
      'a',
      '2 No worker is connected',
      'b',
      '2 Loading…',
      '1 More files than are shown here',
    ])
    expect(shown(toTreeRows(new Map([['', content()]]), new Set()))).toEqual(['1 The repository has no files'])
  })

  it.each([
    ['ArrowDown', 'docs', { what: 'go', path: 'src' }],
    ['ArrowDown', 'src/in', { what: 'go', path: 'src/x.py' }],
    ['ArrowDown', 'b10.py', { what: 'go', path: 'b10.py' }],
    ['ArrowUp', 'docs', { what: 'go', path: 'docs' }],
    ['ArrowRight', 'docs', { what: 'open', path: 'docs' }],
    ['ArrowRight', 'src', { what: 'go', path: 'src/in' }],
    ['ArrowRight', 'b9.py', undefined],
    ['ArrowLeft', 'src', { what: 'close', path: 'src' }],
    ['ArrowLeft', 'src/x.py', { what: 'go', path: 'src' }],
    ['ArrowLeft', 'docs', undefined],
    ['Home', 'b9.py', { what: 'go', path: 'docs' }],
    ['End', 'docs', { what: 'go', path: 'b10.py' }],
    ['Enter', 'docs', { what: 'open', path: 'docs' }],
    ['Enter', 'src', { what: 'close', path: 'src' }],
    [' ', 'src/x.py', { what: 'choose', path: 'src/x.py' }],
    ['End', undefined, { what: 'go', path: 'docs' }],
    ['Tab', 'docs', undefined],
  ])('takes the key %s on %s', (key, current, action) => {
    expect(toTreeAction(key, rows, current)).toEqual(action)
  })

  it('asks for one folder at a time, whatever its name', () => {
    expect(globOfFolder('')).toBe('./*')
    expect(globOfFolder('a/[x]{y}')).toBe('a/?x??y?/*')
    expect([isIn('', 'a'), isIn('', 'a/b'), isIn('a', 'a/b'), isIn('a', 'ab/b'), isIn('a', 'a/b/c')]).toEqual([
      true,
      false,
      true,
      false,
      false,
    ])
    expect(foldersOf('a/b/c.py')).toEqual(['a', 'a/b'])
    expect(foldersOf('c.py')).toEqual([])
  })
})

describe('how a file has changed', () => {
  it.each([
    [' M', 'changed', 'M', false],
    ['M ', 'changed', 'M', true],
    ['MM', 'changed', 'M', true],
    ['A ', 'new', 'A', true],
    ['AM', 'new', 'A', true],
    ['??', 'new', 'N', false],
    [' D', 'deleted', 'D', false],
    ['AD', 'deleted', 'D', true],
    ['D ', 'deleted', 'D', true],
    ['R ', 'renamed', 'R', true],
    ['.M', 'changed', 'M', false],
    ['UU', 'in conflict', 'U', false],
    ['AA', 'in conflict', 'U', false],
    ['DU', 'in conflict', 'U', false],
    [' T', 'of another kind', 'T', false],
  ])('is said of "%s"', (letters, word, letter, isStaged) => {
    const [index = '', worktree = ''] = letters
    expect(toChangeKind({ index, worktree })).toEqual({ word, letter, isStaged })
  })
})
