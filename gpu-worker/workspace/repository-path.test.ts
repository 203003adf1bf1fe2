import { describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.ts'
import { parseRepositoryPath, showPath } from './repository-path.ts'

const codeOf = (text: string): string => {
  try {
    return `accepted as ${parseRepositoryPath(text)}`
  } catch (error) {
    return error instanceof AppError ? error.code : String(error)
  }
}

describe('parseRepositoryPath', () => {
  it.each([
    ['src/a.ts', 'src/a.ts'],
    ['./src//a.ts', 'src/a.ts'],
    ['src/./a.ts', 'src/a.ts'],
    ['src/', 'src'],
    ['src/e\u0301.ts', 'src/é.ts'],
    ['pages/[slug].tsx', 'pages/[slug].tsx'],
    ['a b/c d.md', 'a b/c d.md'],
    ['100%.md', '100%.md'],
    ['%5Bslug%5D.ts', '%5Bslug%5D.ts'],
    ['$HOME/$(id)', '$HOME/$(id)'],
    ['src/-private.ts', 'src/-private.ts'],
    ['日本語/ファイル.ts', '日本語/ファイル.ts'],
    ['.hidden', '.hidden'],
    ['a..b/...c', 'a..b/...c'],
    ['x'.repeat(255), 'x'.repeat(255)],
    ['console.ts', 'console.ts'],
  ])('brings %j into normal form', (text, normal) => {
    expect(parseRepositoryPath(text)).toBe(normal)
    expect(parseRepositoryPath(normal)).toBe(normal)
  })

  it.each([
    '..',
    '../out/secret.txt',
    'src/../../out/secret.txt',
    'src/../a.ts',
    'a/..',
    '/etc/passwd',
    '/proc/self/environ',
    '//server/share/x',
    '\\\\srv\\share\\x',
    '..\\out\\secret.txt',
    'src\\..\\..\\x',
    'C:\\Windows\\x',
    'c:/x',
    'file:///etc/passwd',
    'https://example.org/x',
    '/tmp/root-evil/secret.txt',
  ])('says that %j is outside the repository', (text) => {
    expect(codeOf(text)).toBe('outside_repository')
  })

  it.each([
    '',
    '.',
    './',
    './/.',
    'a\0b',
    '%2e%2e%2fout%2fsecret.txt',
    'a%00b',
    '%252e%252e',
    'esc\u001b[31m.ts',
    'a\nb',
    'a\tb',
    'a\u0085b',
    'safe\u202est.exe',
    'a\u2066b',
    'a\u200bb',
    '.g\u200cit/config',
    'a\u00adb',
    'a\ufeffb',
    'a\ufe0fb',
    'a\u{e0041}b',
    'a\u2028b',
    'a\ud800b',
    'a\ufffdb',
    'a\uffffb',
    'src\\a.ts',
    'C:x',
    'a:stream',
    '.git::$INDEX_ALLOCATION/config',
    'a*',
    '*',
    'src/?.ts',
    'a|b',
    'a<b>',
    'a"b',
    'nul',
    'NUL.txt',
    'src/con',
    'com1.log',
    'COM¹',
    'aux.',
    'a.',
    'a ',
    ' a',
    'src./a',
    '.git ',
    '.git.',
    '...',
    '~',
    '~/x',
    '~root/x',
    '-rf',
    '--output=x',
    'x'.repeat(256),
    'é'.repeat(128),
    'a/'.repeat(3000),
    `${'a/'.repeat(1024)}a`,
  ])('refuses %j', (text) => {
    expect(codeOf(text)).toBe('invalid_input')
  })

  it('never repeats an absolute path or a control character', () => {
    for (const text of ['/etc/passwd', 'C:\\secret', 'a\u001b[2Jb', 'file:///etc/passwd']) {
      try {
        parseRepositoryPath(text)
        expect.unreachable()
      } catch (error) {
        expect(String(error)).not.toMatch(/etc|secret|\u001b/u)
      }
    }
  })
})

describe('showPath', () => {
  it('shows what cannot be seen as escapes, and cuts', () => {
    expect(showPath('a\u001bb\u202ec')).toBe('"a\\u{1b}b\\u{202e}c"')
    expect(showPath('x'.repeat(5000)).length).toBeLessThan(220)
  })
})
