import { execFileSync } from 'node:child_process'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { python } from '#test/support/python.ts'
import { createSeededRandom } from '#test/support/seeded-random.ts'
import { HOSTILE_TEXT } from './examples.ts'
import {
  blockComment,
  commentText,
  docstring,
  jsonText,
  markdownCode,
  markdownFence,
  markdownText,
  pyData,
  pyString,
  tsData,
  tsString,
} from './literals.ts'

/** What ends things in some language, and some ordinary characters. */
const PIECES = [
  ...[
    '"',
    "'",
    '\\',
    '`',
    '\n',
    '\r',
    '\u2028',
    '\u2029',
    '\u0085',
    '\t',
    '\v',
    '\f',
    '\u001b',
    '\u202e',
    '\u200b',
    '\ufeff',
  ],
  ...[
    '*/',
    '/*',
    '"""',
    "'''",
    '$' + '{x}',
    '{{ x }}',
    '{% raw %}',
    '-->',
    '<!--',
    '//',
    '#',
    '\\u002a/',
    '\\x22',
    '\\N{BULLET}',
  ],
  ...[
    'coding: utf-7',
    '?>',
    '</script>',
    'é',
    '漢',
    '🙂',
    '\u{e0001}',
    'a',
    ' ',
    '  ',
    '0',
    '%s',
    '{',
    '}',
    '(',
    ')',
    ';',
    '|',
  ],
]

/** Texts that repeat: the same at each run. */
function hostileTexts(count: number): string[] {
  const random = createSeededRandom(7)
  const make = () => Array.from({ length: random.below(12) }, () => PIECES[random.below(PIECES.length)] ?? '').join('')
  return [HOSTILE_TEXT, ...PIECES, ...Array.from({ length: count }, make)]
}

const texts = hostileTexts(400)
const data = texts.map((text, index) => ({ [text]: [text, index, null, true, { ['__proto__']: text }] }))

/** Lets Python read expressions and say what they are, as JSON. */
const evaluate = (expressions: readonly string[]): unknown =>
  JSON.parse(
    execFileSync(
      python.path ?? '',
      ['-c', 'import ast,json,sys; print(json.dumps([ast.literal_eval(e) for e in json.load(sys.stdin)]))'],
      {
        input: JSON.stringify(expressions),
        encoding: 'utf8',
      },
    ),
  )

describe.skipIf(python.path === null)(`literals of Python (${python.missing ?? 'read by python3'})`, () => {
  it('are the texts that they were made of', () => {
    expect(evaluate(texts.map((text) => pyString(text)))).toEqual(texts)
  })

  it('are the data that they were made of', () => {
    expect(evaluate(data.map((each) => pyData(each)))).toEqual(JSON.parse(JSON.stringify(data)))
  })

  it('end no docstring', () => {
    const expressions = texts.map((text) => `"""${docstring(text, 4)}"""`)
    const read = evaluate(expressions) as string[]
    const words = (text: string): string => text.replace(/[\s\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim()
    expect(read.map(words)).toEqual(texts.map(words))
  })

  it('end no comment, and set no encoding', () => {
    const file = texts.map((text) => `# ${commentText(text)}\n`).join('')
    const program =
      'import ast,sys,tokenize,io; b=sys.stdin.buffer.read(); print(tokenize.detect_encoding(io.BytesIO(b).readline)[0], len(ast.parse(b).body))'
    for (const text of [file, `# ${commentText('-*- coding: utf-7 -*-')}\n`])
      expect(execFileSync(python.path ?? '', ['-c', program], { input: text, encoding: 'utf8' }).trim()).toBe('utf-8 0')
  })
})

describe('literals of TypeScript', () => {
  it('are the texts that they were made of', () => {
    expect(texts.map((text): unknown => runInNewContext(tsString(text)))).toEqual(texts)
  })

  it('are the data that they were made of, a key __proto__ included', () => {
    const read: unknown = JSON.parse(
      JSON.stringify(runInNewContext(`[${data.map((each) => tsData(each)).join(', ')}]`)),
    )
    expect(JSON.stringify(read)).toBe(JSON.stringify(data))
  })

  it('end no comment', () => {
    const lines = texts.flatMap((text) => [
      `// ${commentText(text)}`,
      `/* ${commentText(text)} */`,
      `/**\n * ${blockComment(text)}\n */`,
    ])
    expect(runInNewContext(`let ran = 0\n${lines.join('\n')}\nran`)).toBe(0)
  })
})

describe('literals of JSON', () => {
  it('are what they were made of, without a character that nobody sees', () => {
    for (const text of texts) {
      expect(JSON.parse(jsonText(text))).toBe(text)
      expect(jsonText(text)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
    }
  })
})

describe('comments', () => {
  it.each([
    ['*/ f() /*', '* / f() / *'],
    ['a\nb\u2028c', 'a b c'],
    ['ends with \\', 'ends with \\ .'],
    ['\\u002a/ f()', '\\ u002a/ f()'],
    ['<b>--></b> --help', '<b>-- >< /b> --help'],
    ['vim: coding=x', 'vim: coding =x'],
  ])('show %j as %j', (text, shown) => {
    expect(commentText(text)).toBe(shown)
  })

  it('are wrapped where they are long', () => {
    const lines = blockComment('word '.repeat(60), 2).split('\n')
    expect(lines).toHaveLength(4)
    for (const line of lines.slice(1)) expect(line).toMatch(/^ {3}\* (word ?)+$/)
  })
})

describe('Markdown', () => {
  it.each([
    ['# no heading', '\\# no heading'],
    ['- no list', '\\- no list'],
    ['1. no list', '1\\. no list'],
    ['a_b _c_ *d*', 'a_b \\_c\\_ \\*d\\*'],
    ['[x](y) <b> & | `c`', '\\[x\\](y) \\<b\\> \\& \\| \\`c\\`'],
    ['--- ', '\\---'],
  ])('shows %j as it stands', (text, shown) => {
    expect(markdownText(text)).toBe(shown)
  })

  it('keeps code within its marks', () => {
    expect(markdownCode('f(`x`)')).toBe('``f(`x`)``')
    expect(markdownCode('`x`')).toBe('`` `x` ``')
    expect(markdownFence('```\nx\r\n\u2028', 'py')).toBe('````py\n```\nx\n \n````')
  })
})
