import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readUnifiedDiff } from './unified-diff-rows.ts'

/** What git itself writes for such a change. */
function gitDiff(before: Record<string, string>, after: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-diff-'))
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' })
  try {
    git('init', '-q')
    for (const [name, text] of Object.entries(before)) writeFileSync(join(folder, name), text)
    git('add', '-A')
    git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'x', '--allow-empty')
    for (const name of Object.keys(before)) if (!(name in after)) rmSync(join(folder, name))
    for (const [name, text] of Object.entries(after)) writeFileSync(join(folder, name), text)
    git('add', '-A')
    return git('-c', 'diff.renames=true', 'diff', '--cached')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('readUnifiedDiff', () => {
  it('numbers the lines of before and after', () => {
    const [file] = readUnifiedDiff(gitDiff({ 'a b.txt': 'one\ntwo\nthree\n' }, { 'a b.txt': 'one\n2\n2.5\nthree\n' }))
    expect(file).toEqual({
      path: 'a b.txt',
      change: 'changed',
      insertions: 2,
      deletions: 1,
      rows: [
        { kind: 'place', before: null, after: null, text: '@@ -1,3 +1,4 @@' },
        { kind: 'same', before: 1, after: 1, text: 'one' },
        { kind: 'removed', before: 2, after: null, text: 'two' },
        { kind: 'added', before: null, after: 2, text: '2' },
        { kind: 'added', before: null, after: 3, text: '2.5' },
        { kind: 'same', before: 3, after: 4, text: 'three' },
      ],
    })
  })

  it('knows what came, went and was renamed', () => {
    const long = 'a line that is kept\n'.repeat(20)
    const files = readUnifiedDiff(
      gitDiff(
        { gone: 'x\n', from: long, 'Prüfung.txt': 'a\n' },
        { fresh: 'y\n', to: long, 'Prüfung.txt': 'b\n', none: '' },
      ),
    )
    const found = new Map(files.map(({ path, change }) => [path, change]))
    expect(Object.fromEntries([...found].filter(([path]) => /^[a-z]+$/.test(path)))).toEqual({
      gone: 'removed',
      fresh: 'added',
      to: 'renamed',
      none: 'added',
    })
  })

  it('takes a removed line that begins with dashes, and the missing end of a file, for what they are', () => {
    const [file, ...others] = readUnifiedDiff(gitDiff({ a: '-- x\nb\n' }, { a: '++ y\nb' }))
    expect(others).toEqual([])
    expect(file?.rows.map(({ kind, text }) => [kind, text])).toEqual([
      ['place', '@@ -1,2 +1,2 @@'],
      ['removed', '-- x'],
      ['removed', 'b'],
      ['added', '++ y'],
      ['added', 'b'],
      ['note', 'No newline at end of file'],
    ])
  })

  it('says of a binary file that it is one', () => {
    const [file] = readUnifiedDiff(gitDiff({ a: '\0\u0001' }, { a: '\0\u0002' }))
    expect(file).toMatchObject({ path: 'a', rows: [{ kind: 'note', text: 'Binary files a/a and b/a differ' }] })
  })

  it('ends where a cut diff ends, and is empty for none', () => {
    expect(readUnifiedDiff('--- a\n+++ a\n@@ -1,9 +1,9 @@\n-x\n+y\n[cut')[0]).toMatchObject({
      insertions: 1,
      deletions: 1,
    })
    expect(readUnifiedDiff('')).toEqual([])
  })
})
