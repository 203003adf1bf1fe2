import { afterAll, describe, expect, it } from 'vitest'
import type { ParseOutcome, SourceLanguage } from '../ports/source-parser.ts'
import { createTreeSitterParser } from './tree-sitter-parser.ts'

const parser = createTreeSitterParser()
afterAll(() => parser.close())

async function parsed(language: SourceLanguage, text: string): Promise<Extract<ParseOutcome, { kind: 'parsed' }>> {
  const outcome = await parser.parse(language, text)
  if (outcome.kind !== 'parsed') throw new Error(`not parsed: ${JSON.stringify(outcome)}`)
  return outcome
}

const openFence = (line: string, mark: string): string =>
  `The code fence that starts here (${line}) is not closed: add a line ${mark} after the code. A block that shows fences itself needs a longer one around it, ${mark}${mark[0]}`

describe('createTreeSitterParser', () => {
  it.each<[SourceLanguage, string]>([
    ['python', 'import os\n\n\nclass A:\n    """Doc."""\n\n    @property\n    def f(self) -> int:\n        return 1\n'],
    ['python', 'if a:\n    b\nelif c:\n    d\nelse:\n    e\ntry:\n    f()\nexcept E:\n    pass\nfinally:\n    g()\n'],
    ['python', 'x = 1; y = 2\nif x: y = 3\n# end\n'],
    ['python', 'async def f():\n\tasync with a as b:\n\t\treturn [c async for c in b if c]\n'],
    ['python', 'match a:\n    case {"x": 1}:\n        pass\n    case _:\n        pass\n'],
    ['python', 'x = f"{a!r:>{w}} {b["c"]}"\n'],
    ['python', 'def f():\n    # a comment at another column\n  # and another\n    return 1\n'],
    ['python', '\uFEFFx = 1\nclass A:\r\n    x: int\r\n'],
    ['json', '\uFEFF{}\n'],
    ['javascript', 'export const a = async (b) => b?.c ?? `x`\n'],
    [
      'typescript',
      'export type A<T> = { readonly [K in keyof T]: T[K] }\nconst a = <const T,>(b: T) => b satisfies T\n',
    ],
    ['tsx', 'const A = ({ b }: { b: string }) => <div className={b}>{b}</div>\n'],
    ['go', 'package main\n\nfunc main() { println("x") }\n'],
    ['rust', 'fn main() { let Some(x) = y else { return }; println!("{x}") }\n'],
    ['java', 'record A(int b) { sealed interface C permits D {} }\n'],
    ['c', '#include <stdio.h>\nint main(void) { return 0; }\n'],
    ['cpp', 'template <typename T> concept A = requires(T t) { t.f(); };\nint main() { return 0; }\n'],
    ['json', '{"a": [1, null, true], "b": {"c": "d"}}\n'],
    ['jsonc', '// comment\n{"a": 1}\n'],
    ['yaml', 'a: 1\nb:\n  - c\n---\nd: {e: f}\n'],
    ['javascript', 'const A = ({ b }) => <><B {...b} c="d">{b ? <i /> : null}</B></>\n'],
    ['markdown', '# A\n\nText\n\n```py\nx = 1\n```\n\n~~~\ny\n~~~\n'],
    ['markdown', '```js\nlast line without an end\n```'],
    ['markdown', '````md\n```py\nx\n```\n````\n'],
    ['markdown', '- a\n\n  ```sh\n  b\n  ```\n- c\n\n> ```\n> d\n> ```\n'],
    ['markdown', '---\ntitle: A\ntags: [b, "c"]\n---\n\n# A\n'],
    ['markdown', '\uFEFF---\r\ntitle: A\r\n---\r\n\r\n```py\r\nx\r\n```\r\n'],
    ['markdown', '---\n\nA rule, and text: with a colon\n'],
    ['markdown', '    ```\n    code by indentation, not a fence\n\nand `` ` `` and ``` in ``` text\n'],
    ['markdown', '| a | `b` |\n|---|---|\n| <br> | [x](y "z) |\n\n<div>\n\n**open\n'],
  ])('accepts %s: %j', async (language, text) => {
    expect((await parsed(language, text)).faults).toEqual([])
  })

  it.each<SourceLanguage>([
    'python',
    'javascript',
    'typescript',
    'tsx',
    'go',
    'rust',
    'java',
    'c',
    'cpp',
    'json',
    'jsonc',
    'yaml',
    'markdown',
  ])('takes an empty %s file', async (language) => {
    expect((await parsed(language, '')).faultCount).toBe(0)
  })

  it.each<[SourceLanguage, string, number, number, string]>([
    ['python', 'def f()\n    pass\n', 1, 8, 'Missing `:` at the end of this line'],
    ['python', 'class User\n    id: int\n', 1, 11, 'Missing `:` at the end of this line'],
    ['python', 'for i in range(3)\n    print(i)\n', 1, 18, 'Missing `:` at the end of this line'],
    ['python', 'def f(:\n    pass\n', 1, 6, '`(` is never closed: add the missing `)`'],
    [
      'python',
      'class A:\n    def f(self):\n        return [1, 2\n\n    def g(self):\n        pass\n',
      3,
      16,
      '`[` is never closed: add the missing `]`',
    ],
    ['python', 'x = {1: 2\n', 1, 5, '`{` is never closed: add the missing `}`'],
    ['python', 'x = (1, 2]\n', 1, 10, '`]` does not close the `(` of line 1: add the missing `)`'],
    ['python', 'x = 5)\n', 1, 6, 'Unmatched `)`: nothing is open here'],
    ['python', 'x = "abc\ny = 1\n', 1, 5, 'The string that starts here is not closed: add `"`'],
    ['python', 'def f():\n    """Doc.\n    return 1\n', 2, 5, 'The string that starts here is not closed: add `"""`'],
    ['python', 'def f():\n    pass\n```\n', 3, 1, 'A Markdown fence is not code: remove it from the file'],
    ['python', 'a = b c\n', 1, 5, 'Unexpected `b` in `a = b c`'],
    ['python', 'def f():\nx = 1\n', 1, 1, 'Expected an indented block after this line'],
    [
      'python',
      'if x:\n    y = 1\n  z = 2\n',
      3,
      3,
      'Unexpected indentation: indent this line as the other lines of its block',
    ],
    [
      'python',
      'def f():\n    a = 1\n      b = 2\n',
      3,
      7,
      'Unexpected indentation: indent this line as the other lines of its block',
    ],
    ['python', 'print "x"\n', 1, 1, 'Python 3 has no print statement: write `print(...)`'],
    ['python', 'try:\n    x()\n', 1, 1, '`try` needs an `except` or a `finally`'],
    ['javascript', 'function f( {\n}\n', 1, 11, '`(` is never closed: add the missing `)`'],
    ['javascript', 'if (a) {\n', 1, 8, '`{` is never closed: add the missing `}`'],
    ['javascript', '}\n', 1, 1, 'Unmatched `}`: nothing is open here'],
    [
      'json',
      '{"a": 1,}',
      1,
      9,
      'Expected double-quoted property name in JSON: write strict JSON, without comments or trailing commas',
    ],
    [
      'json',
      '{"a": 1',
      1,
      8,
      "Expected ',' or '}' after property value in JSON: write strict JSON, without comments or trailing commas".replaceAll(
        "'",
        '`',
      ),
    ],
    [
      'json',
      '{\n  // c\n}',
      2,
      3,
      'Expected property name or `}` in JSON: write strict JSON, without comments or trailing commas',
    ],
    ['yaml', 'key: [a, b\n', 1, 6, '`[` is never closed: add the missing `]`'],
    ['jsonc', '// c\n{"a": [1}\n', 2, 9, '`}` does not close the `[` of line 2: add the missing `]`'],
    ['javascript', 'const A = () => <div><b></div>\n', 1, 1, 'Not valid syntax: `const A = () => <div><b></div>`'],
    ['typescript', 'interface A { b: string\n', 1, 13, '`{` is never closed: add the missing `}`'],
    ['typescript', 'const a: = 1\n', 1, 10, 'Unexpected `=` in `const a: = 1`'],
    ['tsx', 'const A = () => <div>{b</div>\n', 1, 22, '`{` is never closed: add the missing `}`'],
    [
      'go',
      'package main\n\nfunc main() { println("x" }\n',
      3,
      27,
      '`}` does not close the `(` of line 3: add the missing `)`',
    ],
    ['rust', 'fn main() { let x = ; }\n', 1, 19, 'Unexpected `=` in `fn main() { let x = ; }`'],
    ['java', 'class A { void f() { return 1 } }\n', 1, 30, 'Missing `;`'],
    ['c', 'int main(void) { return 0 }\n', 1, 26, 'Missing `;`'],
    ['cpp', 'class A { int x };\n', 1, 16, 'Missing `;`'],
    ['markdown', '# A\n\n```py\nx = 1\n\nMore text\n', 3, 1, openFence('```py', '```')],
    ['markdown', '```md\n```py\nx\n```\n```\n', 5, 1, openFence('```', '```')],
    ['markdown', '- a\n\n  ~~~\n  b\n- c\n', 3, 3, openFence('~~~', '~~~')],
    [
      'markdown',
      '---\ntitle: A\n\n# A\n\nText\n',
      1,
      1,
      'The front matter that starts here is not closed: add a line --- after its last key',
    ],
    [
      'markdown',
      '---\ntitle: A\ntags: [b, c\n---\n\n# A\n',
      3,
      7,
      'Front matter: `[` is never closed: add the missing `]`',
    ],
  ])('explains %s: %j', async (language, text, line, column, message) => {
    expect((await parsed(language, text)).faults[0]).toEqual({ line, column, message })
  })

  it('shows the first five faults of many, with their number', async () => {
    const { faults, faultCount } = await parsed('python', 'print "x"\n'.repeat(40))
    expect(faults.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5])
    expect(faultCount).toBe(40)
  })

  it('ends a text that takes too long, and goes on with the next', async () => {
    const impatient = createTreeSitterParser({ deadlineMs: 300 })
    try {
      const [bomb, next] = await Promise.all([
        impatient.parse('javascript', '('.repeat(200_000)),
        impatient.parse('python', 'x = 1\n'),
      ])
      expect(bomb).toEqual({ kind: 'timed_out', limitMs: 300 })
      expect(next).toMatchObject({ kind: 'parsed', faultCount: 0 })
    } finally {
      await impatient.close()
    }
  })

  it.each<[string, string]>([
    ['a million JSON levels', '['.repeat(500_000) + ']'.repeat(500_000)],
    ['half a million JSON levels that do not close', '['.repeat(500_000)],
  ])('survives %s', async (_name, text) => {
    expect((await parser.parse('json', text)).kind).toBe('parsed')
  })

  it('rejects with cancelled when the signal is aborted', async () => {
    await expect(parser.parse('python', 'x = 1\n', AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('rejects what is in flight when it closes', async () => {
    const short = createTreeSitterParser()
    const pending = short.parse('python', 'x = 1\n')
    const refused = expect(pending).rejects.toMatchObject({ code: 'cancelled' })
    await short.close()
    await refused
    await expect(short.parse('python', 'x')).rejects.toMatchObject({ code: 'cancelled' })
  })
})
