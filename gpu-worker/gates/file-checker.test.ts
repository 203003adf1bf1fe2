import { afterAll, describe, expect, it } from 'vitest'
import { TOO_LONG_TEXT } from '#test/support/user-samples.ts'
import { createTreeSitterParser } from '../adapters/tree-sitter-parser.ts'
import { createFileChecker } from './file-checker.ts'
import { parseSettings } from './settings.ts'

const checker = createFileChecker({ parser: createTreeSitterParser() })
afterAll(() => checker.close())

const check = (path: string, text: string, before: string | null = null) => checker.check({ path, text, before })
const lines = (count: number, line = 'x = 1\n'): string => line.repeat(count)

/** What runs on a file of code where no repository says otherwise. */
const allRan = ['syntax', 'line_limit', 'secrets', 'function_length', 'complexity']

describe('createFileChecker', () => {
  it('passes a good file and says what ran', async () => {
    expect(await check('a/b.py', 'def f():\n    return 1\n')).toEqual({
      checks: { passed: true, ran: allRan, skipped: [], violations: [] },
      syntaxErrors: [],
      complexity: {
        cyclomatic: 1,
        cognitive: 0,
        functions: [{ name: 'f', line: 1, lines: 2, cyclomatic: 1, cognitive: 0, nesting: 0, parameters: 0 }],
      },
      lineCount: 2,
    })
  })

  it('refuses a syntax error, with its position', async () => {
    const { checks, syntaxErrors } = await check('a.py', 'def f()\n    return 1\n')
    const message = 'Missing `:` at the end of this line'
    expect(checks.passed).toBe(false)
    expect(checks.violations).toEqual([{ rule: 'syntax', severity: 'error', message, line: 1, column: 8 }])
    expect(syntaxErrors).toEqual([{ line: 1, column: 8, message }])
    const reason = 'the file does not parse'
    expect(checks.skipped).toEqual([
      { rule: 'function_length', reason },
      { rule: 'complexity', reason },
    ])
  })

  it('refuses a text that cannot be parsed in time', async () => {
    const impatient = createFileChecker({ parser: createTreeSitterParser({ deadlineMs: 200 }) })
    try {
      const { checks } = await impatient.check({ path: 'a.js', text: '('.repeat(200_000), before: null })
      expect(checks.passed).toBe(false)
      expect(checks.violations[0]).toMatchObject({ rule: 'syntax', severity: 'error' })
      expect(checks.violations[0]?.message).toMatch(/^Could not be parsed within 0\.2 s/)
    } finally {
      await impatient.close()
    }
  })

  it.each([
    ['README.md', '# A\n'.repeat(100_000), 'too large for the Markdown grammar'],
    ['a.toml', 'a = 1\n', 'no grammar for toml'],
    ['a.rb', 'x = 1\n', 'no grammar for ruby'],
    ['a.xyz', 'x\n', 'no grammar for this kind of file'],
    ['LICENSE', 'x\n', 'no grammar for this kind of file'],
  ])('says that it did not parse %s', async (path, text, reason) => {
    const { checks } = await check(path, text)
    expect(checks.skipped).toContainEqual({ rule: 'syntax', reason })
    expect(checks.ran).not.toContain('syntax')
  })

  it('counts the faults that it does not list', async () => {
    const { checks } = await check('a.py', 'print "x"\n'.repeat(8))
    expect(checks.violations).toHaveLength(5)
    expect(checks.violations[4]?.message).toMatch(/\(and 3 more syntax errors\)$/)
  })

  it.each<[string, number, number | null, 'error' | 'warning' | null]>([
    ['at the limit', 300, null, null],
    ['one over', 301, null, 'error'],
    ['growing beyond it', 301, 300, 'error'],
    ['too long already, growing', 311, 310, 'error'],
    ['too long already, unchanged in length', 310, 310, 'warning'],
    ['too long already, shrinking', 305, 310, 'warning'],
  ])('limits lines: %s', async (_what, now, before, severity) => {
    const { checks } = await check('a.py', lines(now), before === null ? null : lines(before))
    expect(checks.violations.map((violation) => violation.severity)).toEqual(severity === null ? [] : [severity])
    expect(checks.passed).toBe(severity !== 'error')
  })

  it('counts newline characters', async () => {
    const { checks, lineCount } = await check('test_large.py', TOO_LONG_TEXT)
    expect(lineCount).toBe(350)
    expect(checks.violations[0]?.message).toBe('350 lines, limit 300: shorten it or move parts to other files')
  })

  it.each(['a.json', 'a.md', 'a.csv', 'package-lock.json', 'yarn.lock'])(
    'does not limit the lines of %s',
    async (path) => {
      const { checks } = await check(path, path.endsWith('json') ? `[${lines(400, '1,\n')}1]` : lines(400))
      expect(checks.passed).toBe(true)
      expect(checks.skipped.map(({ rule }) => rule)).toContain('line_limit')
    },
  )

  it('limits the lines of code that it cannot parse', async () => {
    expect((await check('a.rb', lines(301))).checks.passed).toBe(false)
  })

  it.each<[string, number, boolean]>([
    ['a.rb', 3, false],
    ['a.rb', 2, true],
    ['test/a.rb', 5, true],
    ['test/a.rb', 6, false],
    ['a.sql', 5, false],
    ['a.csv', 500, true],
  ])('takes line limits by glob: %s with %i lines', async (path, count, passed) => {
    const files = [
      { glob: 'test/**', lines: 5 },
      { glob: '*.sql', lines: 4 },
    ]
    const settings = parseSettings(JSON.stringify({ checks: { line_limit: { lines: 2, files } } }))
    const strict = createFileChecker({
      parser: createTreeSitterParser(),
      settings: async () => ({ settings, fault: null }),
    })
    try {
      expect((await strict.check({ path, text: lines(count), before: null })).checks.passed).toBe(passed)
      expect(await strict.rules('test/a.rb')).toEqual(['At most 5 lines'])
    } finally {
      await strict.close()
    }
  })

  it('writes the rules that can refuse the file for the prompt', async () => {
    const severities = { missing_docs: 'error', function_length: 'error', complexity: 'error', line_limit: 'warning' }
    const forbidden_pattern = [{ pattern: 'eval', files: '*.py', message: 'Do not use eval' }]
    const settings = parseSettings(JSON.stringify({ checks: { severities, forbidden_pattern } }))
    const strict = createFileChecker({
      parser: createTreeSitterParser(),
      settings: async () => ({ settings, fault: null }),
    })
    expect(await strict.rules('a.py')).toEqual([
      'Valid Python 3',
      'Do not use eval',
      'Every public function and class has a docstring',
      'At most 60 lines per function',
      'Short functions without deep nesting',
    ])
    await strict.close()
  })

  it('warns of five nested ifs around three nested loops', async () => {
    let text = 'def f(a):\n'
    for (let depth = 1; depth <= 5; depth++) text += `${'    '.repeat(depth)}if a > ${depth}:\n`
    for (let depth = 6; depth <= 8; depth++) text += `${'    '.repeat(depth)}for i${depth} in a:\n`
    const { checks, complexity } = await check('a.py', `${text}${'    '.repeat(9)}print(a)\n`)
    expect(complexity).toMatchObject({ cyclomatic: 9, cognitive: 36 })
    expect(checks.passed).toBe(true)
    expect(checks.violations).toEqual([
      {
        rule: 'complexity',
        severity: 'warning',
        message:
          '`f` is too complex, cyclomatic 9 (limit 10), cognitive 36 (limit 15): return early instead of nesting, and move parts into functions of their own',
        line: 1,
        column: null,
      },
    ])
  })

  it('lets a document keep a fence that was open, and refuses another', async () => {
    const before = '# A\n\n```py\nx\n'
    expect((await check('a.md', '# A\n\n```py\ny\n', before)).checks.passed).toBe(true)
    expect((await check('a.md', before)).checks.passed).toBe(false)
    expect((await check('a.md', '- ```\n- ```\n', before)).checks.passed).toBe(false)
  })

  it('lets a C file keep the faults that it had, and refuses more', async () => {
    const before = 'int main(void) { return 0 }\n'
    expect((await check('a.c', `${before}int x;\n`, before)).checks.passed).toBe(true)
    expect((await check('a.c', `${before}int y\nint z = (;\n`, before)).checks.passed).toBe(false)
    expect((await check('a.py', 'x = 1 +\n', 'x = 2 +\n')).checks.passed).toBe(false)
  })

  it.each([
    ['a.py', ['Valid Python 3', 'At most 300 lines']],
    ['a.cpp', ['Valid C++', 'At most 300 lines']],
    ['a.json', ['Valid JSON']],
    ['tsconfig.json', ['Valid JSON']],
    ['README.md', ['Every code fence closed']],
  ])('writes the rules of %s for the prompt', async (path, rules) => {
    expect(await checker.rules(path)).toEqual(rules)
  })

  it('takes comments in tsconfig.json and not in package.json', async () => {
    const text = '// a\n{"a": 1}\n'
    expect((await check('web/tsconfig.json', text)).checks.passed).toBe(true)
    expect((await check('package.json', text)).checks.passed).toBe(false)
  })

  it('rejects with cancelled', async () => {
    const request = { path: 'a.py', text: 'x = 1\n', before: null }
    await expect(checker.check(request, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
  })
})
