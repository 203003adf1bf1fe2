import { afterAll, describe, expect, it } from 'vitest'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import type { QualityReport } from '#shared/schemas/quality.ts'
import { OVERLY_COMPLEX_FUNCTION } from '#test/support/user-samples.ts'
import { createFileChecker } from '../gates/file-checker.ts'
import { type ComparedFiles, createDuplicationIndex } from './duplication.ts'
import { detectLanguage } from './language.ts'
import { analyzeQuality } from './quality.ts'
import { scoreOf } from './score.ts'

const parser = createTreeSitterParser()
const checker = createFileChecker({ parser })
afterAll(() => checker.close())

const nowhere: ComparedFiles = { async *list() {}, read: async () => null }
const signal = AbortSignal.timeout(120_000)

function analyze(name: string, text: string, files = nowhere): Promise<QualityReport> {
  const ports = { checker, parser, duplication: createDuplicationIndex(parser), files }
  return analyzeQuality(ports, { path: name, name, text }, signal)
}

/** Each issue as `rule line`, `!` for an error. */
const issuesOf = ({ issues }: QualityReport): string[] =>
  issues.map(({ rule, line, severity }) => `${severity === 'error' ? '!' : ''}${rule} ${line}`)

const nested = `${OVERLY_COMPLEX_FUNCTION.trim()}\n`

describe('analyzeQuality', () => {
  it('measures and flags five ifs around three loops', async () => {
    const report = await analyze('a.py', nested)
    expect(report).toMatchObject({
      language: 'python',
      complexity: {
        cyclomatic: 9,
        cognitive: 36,
        functions: [{ name: 'overly_complex_function', line: 1, nesting: 8, parameters: 5, lines: 10 }],
      },
      size: {
        lines: 10,
        code_lines: 10,
        comment_lines: 0,
        blank_lines: 0,
        functions: 1,
        classes: 0,
        bytes: nested.length,
      },
      missing_docs: [{ name: 'overly_complex_function', line: 1 }],
      missing_types: [{ name: 'overly_complex_function', parameters: ['a', 'b', 'c', 'd', 'e'], returns: true }],
      unused_imports: [],
      score: 80,
      deductions: [
        { rule: 'complexity', count: 1, points: 5 },
        { rule: 'nesting', count: 1, points: 5 },
        { rule: 'missing_docs', count: 1, points: 5 },
        { rule: 'missing_types', count: 1, points: 5 },
      ],
    })
    expect(issuesOf(report)).toEqual(['complexity 1', 'nesting 1', 'missing_docs 1', 'missing_types 1'])
  })

  it('finds nothing in a text that is in order', async () => {
    const text =
      '"""Numbers."""\n\nimport math\n\n\ndef root(x: float) -> float:\n    """The root."""\n    return math.sqrt(x)\n'
    expect(await analyze('a.py', text)).toMatchObject({ score: 100, deductions: [], issues: [], issues_total: 0 })
  })

  it.each<[string, string, string, string[]]>([
    ['too many parameters', 'a.go', 'package a\n\nfunc f(a, b, c, d, e, g, h, i int) {}\n', ['parameters 3']],
    ['unused imports', 'a.ts', "import { a } from 'a'\nimport './b'\n", ['unused_import 1']],
    ['not what a package offers', 'a/__init__.py', 'from a.b import c\n', []],
    ['not what tests share', 'tests/conftest.py', 'from a.b import client\n', []],
    ['untyped parameters', 'a.ts', '/** Doc. */\nexport function f(a) {\n  return a\n}\n', ['missing_types 2']],
    ['no types and docs in tests', 'tests/test_a.py', 'def test_a(client):\n    assert client\n', []],
    [
      'errors of the gates first',
      'a.py',
      `import a\n${'x = 1\n'.repeat(300)}`,
      ['!line_limit null', 'unused_import 1'],
    ],
    ['a text that does not parse', 'a.py', 'import a\ndef f(:\n', ['!syntax 2']],
  ])('says: %s', async (_what, name, text, issues) => {
    expect(issuesOf(await analyze(name, text))).toEqual(issues)
  })

  it('gives a text that does not parse its size and no points', async () => {
    const report = await analyze('a.py', 'def f(:\n    pass\n')
    expect(report).toMatchObject({
      score: 0,
      complexity: null,
      missing_docs: null,
      missing_types: null,
      unused_imports: null,
    })
    expect(report.size).toMatchObject({ lines: 2, code_lines: 2, functions: null, classes: null })
  })

  it.each<[string, string, Partial<QualityReport['size']>]>([
    ['a.json', '{\n  "a": 1\n}\n', { lines: 3, code_lines: 3, comment_lines: 0, functions: null, classes: null }],
    ['a.yaml', '# a\n\nb: 1\n', { lines: 3, code_lines: 1, comment_lines: 1, blank_lines: 1, functions: null }],
    ['a.toml', 'a = 1\n\n', { lines: 2, code_lines: null, comment_lines: null, blank_lines: 1, functions: null }],
  ])('knows only the size of %s', async (name, text, size) => {
    const report = await analyze(name, text)
    expect(report.size).toMatchObject(size)
    expect(report).toMatchObject({
      complexity: null,
      duplication: null,
      missing_docs: null,
      unused_imports: null,
      issues: [],
    })
  })

  it.each(['a.py', 'a.ts', 'a.tsx', 'a.js', 'a.go', 'a.rs', 'a.java', 'a.c', 'a.cpp'])(
    'compares code: %s',
    async (name) => {
      expect((await analyze(name, '')).duplication).toMatchObject({ lines: 0, percent: 0, files_compared: 0 })
    },
  )

  it('names the other place of a copy', async () => {
    const lines = Array.from({ length: 14 }, (_, index) => `    x${index} = f${index}(a, ${index}) + b * c\n`).join('')
    const text = `def f(a: int, b: int, c: int) -> None:\n    """Doc."""\n${lines}`
    const files: ComparedFiles = {
      async *list() {
        yield { path: 'b.py', language: 'python', bytes: text.length }
      },
      read: async () => ({ text: `x = 1\n${text}`, sha256: 'x' }),
    }
    const report = await analyze('a.py', text, files)
    expect(report.duplication).toMatchObject({
      lines: 16,
      percent: 100,
      copies: [{ path: 'b.py', line: 1, end_line: 16, other_line: 2 }],
    })
    expect(report.issues).toMatchObject([
      {
        rule: 'duplication',
        line: 1,
        message: 'Lines 1 to 16 are those of b.py, lines 2 to 17: keep one and use it from both places',
      },
    ])
  })

  it('stays small, whatever the text is', async () => {
    const text = Array.from({ length: 3000 }, (_, index) => `import a${index}\ndef f${index}(a): pass\n`).join('')
    const report = await analyze('a.py', text)
    expect(report.issues).toHaveLength(100)
    expect(report.issues_total).toBeGreaterThan(8000)
    expect(report.missing_docs).toHaveLength(100)
    expect(report.score).toBe(0)
  })
})

describe('the report of a hostile text', () => {
  it.each<[string, string]>([
    [
      'names of 100,000 characters',
      `import ${'a'.repeat(100_000)}\ndef ${'f'.repeat(100_000)}(${'p'.repeat(100_000)}): pass\n`,
    ],
    ['10,000 parameters', `def f(${Array.from({ length: 10_000 }, (_, at) => `parameter_${at}`).join(', ')}): pass\n`],
    ['copies of copies', `def f():\n${'    g(a, b)\n    h(c, d)[1] = e - f / 2 + i * {j: k}\n'.repeat(1500)}`],
  ])('is small: %s', async (_what, text) => {
    expect(JSON.stringify(await analyze('a.py', text)).length).toBeLessThan(40_000)
  })
})

describe('scoreOf', () => {
  const issue = (rule: string, severity: 'error' | 'warning') => ({ rule, severity, message: '', line: null })

  it.each([
    ['nothing', [], 100],
    ['a warning', [issue('a', 'warning')], 95],
    ['an error', [issue('a', 'error')], 80],
    [
      'an error and warnings of different rules',
      [issue('a', 'error'), issue('b', 'warning'), issue('c', 'warning')],
      70,
    ],
    ['one rule very often', Array.from({ length: 50 }, () => issue('a', 'warning')), 60],
    ['many rules', ['a', 'b', 'c'].flatMap((rule) => [issue(rule, 'error'), issue(rule, 'error')]), 0],
    ['a text that does not parse', [issue('syntax', 'error')], 0],
    ['a fault that a person cannot mend', [issue('syntax', 'warning')], 95],
  ] as const)('takes off for %s', (_what, issues, score) => {
    expect(scoreOf(issues).score).toBe(score)
  })
})

describe('detectLanguage', () => {
  it.each([
    ['json', '{"a": [1]}'],
    ['python', '\ndef f(a):\n    return a\n    '],
    ['typescript', 'const f = (a: number): string => String(a)\n'],
    ['typescript', 'function f(a) { return a }\n'],
    ['tsx', 'const A = () => <p>x</p>\n'],
    ['go', 'package a\n\nfunc f(a int) int {\n\treturn a\n}\n'],
    ['rust', 'fn f(a: i32) -> i32 {\n    a\n}\n'],
    ['java', 'public class A {\n  private int f(int a) {\n    return a;\n  }\n}\n'],
    ['c', '#include <stdio.h>\n\nint main(void) {\n  return 0;\n}\n'],
    ['cpp', '#include <vector>\n\ntemplate <typename T> T f(const std::vector<T> &a) {\n  return a[0];\n}\n'],
  ])('sees %s', async (language, text) => {
    expect(await detectLanguage(parser, text, signal)).toBe(language)
  })

  it('refuses what no grammar reads', async () => {
    const refusal = { code: 'invalid_input', hint: expect.stringContaining('Give language') }
    await expect(detectLanguage(parser, 'This is, as it were, no code.\n', signal)).rejects.toMatchObject(refusal)
  })
})
