import { describe, expect, it } from 'vitest'
import { guardFailures, keepShape } from './guards.ts'

const rules = (path: string, before: string | null, text: string, message = 'Add a field'): string[] =>
  guardFailures({ path, before, text, message }).map(({ rule }) => rule)

const ten = 'a = 1\n'.repeat(10)

describe('guardFailures', () => {
  it.each([
    ['a.py', '# rest unchanged'],
    ['a.py', '# ...'],
    ['a.py', '# ... existing code ...'],
    ['a.py', '# existing code here'],
    ['a.py', '# The rest of the file remains unchanged'],
    ['a.py', '# rest of the methods'],
    ['a.py', '# other methods stay the same'],
    ['a.py', '    # remaining code unchanged'],
    ['a.py', '# (rest of the file)'],
    ['a.py', '# your code here'],
    ['a.py', '...'],
    ['a.js', '// ... rest of the file'],
    ['a.js', '// ...existing code...'],
    ['a.js', '// Previous code remains the same'],
    ['a.js', '/* ... */'],
    ['a.js', '  ...'],
    ['a.js', '…'],
    ['a.js', '// same as before'],
    ['a.js', '/* other imports omitted */'],
    ['a.tsx', '{/* rest of the code */}'],
    ['a.go', '// everything else unchanged'],
    ['a.rs', '// [existing functions unchanged]'],
    ['a.sql', '-- remaining code here'],
    ['a.html', '<!-- rest of the content -->'],
    ['a.md', '[rest of the document unchanged]'],
    ['a.md', '<!-- ... -->'],
    ['a.md', '...'],
    ['a.py', '[rest of file]'],
  ])('finds the stub in %s: %s', (path, line) => {
    expect(rules(path, null, `x = 1\n${line}\ny = 2\n`)).toEqual(['stub'])
  })

  it.each([
    ['a.py', '# Read the rest of the file'],
    ['a.py', '# Wait for the remaining tests to finish'],
    ['a.py', '# Unlike other methods, this one is quick'],
    ['a.py', '# Loading ...'],
    ['a.py', 'print("...")'],
    ['a.py', 'x: tuple[int, ...] = ()'],
    ['a.js', 'const b = [...a]'],
    ['a.js', '  ...rest,'],
    ['a.js', '// Keeps existing entries when the key is unchanged'],
    ['a.md', '# The same content'],
    ['a.md', 'The rest of the file'],
    ['a.md', '- existing code'],
    ['a.c', '/*'],
    ['a.c', ' *'],
    ['a.py', '#'],
    ['a.py', '{}'],
    ['a.py', '"""'],
  ])('lets %s pass: %s', (path, line) => {
    expect(rules(path, null, `x = 1\n${line}\ny = 2\n`)).toEqual([])
  })

  it.each(['class A(Protocol):\n    def f(self) -> int:\n        ...\n', 'def f():\n    """Doc."""\n    ...\n'])(
    'lets Python have bodies of dots',
    (text) => {
      expect(rules('a.py', null, text)).toEqual([])
    },
  )

  it('finds dots that stand for the rest of a Python body', () => {
    expect(rules('a.py', null, 'def f():\n    x = 1\n    ...\n')).toEqual(['stub'])
  })

  it('lets a line stay that the file had', () => {
    expect(rules('a.js', '// existing code here\nx()\n', '  // existing code here\nx()\ny()\n')).toEqual([])
  })

  it('names the line of a stub', () => {
    expect(guardFailures({ path: 'a.py', before: null, text: 'x = 1\n# ...\n', message: '' })).toEqual([
      { rule: 'stub', message: '`# ...` stands for text that is missing: write the complete file', line: 2 },
    ])
  })

  it.each<[string, string, string, string[]]>([
    ['most lines lost', 'Add a field', 'a = 2\n'.repeat(4), ['shrunk']],
    ['half of the lines kept', 'Add a field', 'a = 2\n'.repeat(5), []],
    ['a task that removes', 'Remove the other fields', 'a = 2\n', []],
    ['a task that simplifies', 'Please simplify this', 'a = 2\n', []],
    ['lines that became blank', 'Add a field', `a = 2\n${'\n'.repeat(20)}`, ['shrunk']],
  ])('judges the length: %s', (_what, message, text, expected) => {
    expect(rules('a.py', ten, text, message)).toEqual(expected)
  })

  it('does not mind what a very short file loses', () => {
    expect(rules('a.py', 'a\nb\nc\n', 'd\n')).toEqual([])
  })

  it('refuses an unchanged file and an empty answer', () => {
    expect(rules('a.py', ten, ten)).toEqual(['unchanged'])
    expect(rules('a.py', null, '')).toEqual(['empty'])
    expect(rules('a.py', null, '\n  \n')).toEqual(['empty'])
    expect(rules('a.py', ten, '')).toEqual(['empty'])
    expect(rules('a.py', ten, '', 'Empty the file')).toEqual([])
  })

  it('refuses control characters that the file did not have', () => {
    expect(guardFailures({ path: 'a.py', before: null, text: 'a\nb\u0000\n', message: '' })).toEqual([
      { rule: 'control_character', message: 'Remove the control character', line: 2 },
    ])
    expect(rules('a.py', 'a\f\n', 'b\f\n')).toEqual([])
    expect(rules('a.py', null, 'a\r\n\tb\r\n')).toEqual([])
  })
})

describe('keepShape', () => {
  it('takes no longer for many empty lines than for as much text', () => {
    const lines = '\n'.repeat(200_000)
    const startedAt = performance.now()
    expect(keepShape('x\n', `${lines}x\n`)).toBe('x\n')
    expect(keepShape(`${lines}x\n\n`, null)).toBe(`${lines}x\n`)
    expect(performance.now() - startedAt).toBeLessThan(1000)
  })

  it.each<[string, string | null, string, string]>([
    ['a new file', null, 'a\nb\n', 'a\nb\n'],
    ['a new file with blank lines at its end', null, 'a\n\n\n', 'a\n'],
    ['LF', 'x\n', 'a\nb\n', 'a\nb\n'],
    ['CRLF', 'x\r\ny\r\n', 'a\nb\n', 'a\r\nb\r\n'],
    ['mostly LF', 'x\r\ny\nz\n', 'a\n', 'a\n'],
    ['no final newline', 'x\ny', 'a\nb\n', 'a\nb'],
    ['no final newline, CRLF', 'x\r\ny', 'a\nb\n', 'a\r\nb'],
    ['blank lines at the end', 'x\n\n\n', 'a\n', 'a\n\n\n'],
    ['a byte-order mark', '\uFEFFx\n', 'a\n', '\uFEFFa\n'],
    ['a byte-order mark that was repeated', '\uFEFFx\n', '\uFEFFa\n', '\uFEFFa\n'],
    ['an emptied file', 'x\n', '', ''],
  ])('keeps %s', (_what, before, text, expected) => {
    expect(keepShape(text, before)).toBe(expected)
  })
})
