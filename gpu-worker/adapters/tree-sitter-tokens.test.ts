import { afterAll, describe, expect, it } from 'vitest'
import type { AnalysisOutcome, SourceLanguage } from '../ports/source-parser.ts'
import { createTreeSitterParser } from './tree-sitter-parser.ts'

const parser = createTreeSitterParser()
afterAll(() => parser.close())

type Analyzed = Extract<AnalysisOutcome, { kind: 'analyzed' }>

async function analyzed(language: SourceLanguage, text: string): Promise<Analyzed> {
  const outcome = await parser.analyze(language, text)
  if (outcome.kind !== 'analyzed') throw new Error(JSON.stringify(outcome))
  return outcome
}

describe('lines', () => {
  // radon's documentation: comment lines, blank lines and the others add up to the lines of the file.
  it.each<[SourceLanguage, string, [code: number, comment: number, blank: number]]>([
    ['python', '# a\n\nx = 1  # b\n\n\n"""Doc.\n\nMore.\n"""\n', [5, 1, 3]],
    ['python', 'x = 1', [1, 0, 0]],
    ['python', '', [0, 0, 0]],
    ['python', '\n\n', [0, 0, 2]],
    ['python', 'x = 1\n\n\n', [1, 0, 2]],
    ['python', 'x = 1\r\n\r\n# c\r\n', [1, 1, 1]],
    ['typescript', '/**\n * Doc.\n */\nconst a = 1 // b\n// c\n', [1, 4, 0]],
    ['javascript', '/* a */ b()\n', [1, 0, 0]],
    ['go', '// a\npackage m\n\nimport "fmt"\n', [2, 1, 1]],
    ['rust', '/// Doc.\n//! More.\nfn f() {}\n', [1, 2, 0]],
    ['java', '/** Doc. */\nclass A {\n}\n', [2, 1, 0]],
    ['c', '/* a\n\n b */\nint x;\n', [1, 3, 0]],
    ['cpp', '// a\nint x;\n', [1, 1, 0]],
    ['yaml', '# a\nb: 1\n\n', [1, 1, 1]],
    ['json', '{\n\n"a": 1}\n', [2, 0, 1]],
    ['python', 'def f(:\n    pass\n', [2, 0, 0]],
  ])('of %s: %j', async (language, text, [code, comment, blank]) => {
    expect((await analyzed(language, text)).lines).toEqual({ code, comment, blank })
  })
})

describe('tokens', () => {
  const hashes = async (language: SourceLanguage, text: string): Promise<string> => {
    const outcome = await parser.tokenize(language, text)
    if (outcome.kind !== 'tokenized') throw new Error(JSON.stringify(outcome))
    return outcome.tokens.hashes.join(' ')
  }

  it.each<[SourceLanguage, string, string]>([
    ['python', 'x = f("a", 1)\n', '# c\nx = f(\n    "b",  1)\n'],
    ['python', 'x = 1\n', 'import a\nfrom b import (c, d)\nx = 1\n'],
    ['typescript', "const a = 'x'", "import { b } from 'c'\n/* c */ const a = 'y'"],
    ['go', 'package m\nvar a = "x"', 'package n\nimport "fmt"\nvar a = "y" // c'],
    ['rust', 'fn f() { g("a\\n") }', 'use a::b;\n/// c\nfn f() { g("b\\t") }'],
    ['java', 'class A { String a = "b"; }', 'package p;\nimport b.C;\nclass A { String a = "c"; }'],
    ['cpp', 'auto a = "b";', '#include <b>\nauto a = "c";'],
  ])('of %s leave out comments, imports, blanks and the text of strings: %j', async (language, one, other) => {
    expect(await hashes(language, one)).toBe(await hashes(language, other))
    expect(await hashes(language, one)).not.toBe('')
  })

  it.each<[SourceLanguage, string, string]>([
    ['python', 'x = 1\n', 'y = 1\n'],
    ['python', 'x = 1\n', 'x = 2\n'],
    ['typescript', 'a && b', 'a || b'],
  ])('of %s tell names, numbers and operators apart: %j, %j', async (language, one, other) => {
    expect(await hashes(language, one)).not.toBe(await hashes(language, other))
  })

  it('carry their lines', async () => {
    const { tokens } = await analyzed('python', 'x = 1\n\ny = 2\n')
    expect([...tokens.lines]).toEqual([1, 1, 1, 3, 3, 3])
  })
})

describe('hostile texts', () => {
  // How fast the machine is decides which of the three it is; that there is an answer, and a parser after it, does not.
  it.each<[string, SourceLanguage, string]>([
    ['200,000 parentheses', 'python', '('.repeat(200_000)],
    ['a line of 1 MiB', 'javascript', `x=${'a+'.repeat(500_000)}a`],
    ['deep nesting', 'typescript', `${'{'.repeat(50_000)}${'}'.repeat(50_000)}`],
    ['deep classes', 'python', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}class A:\n`).join('')],
  ])('are answered or ended: %s', async (_what, language, text) => {
    const strict = createTreeSitterParser({ deadlineMs: 2000 })
    try {
      const outcome = await strict.analyze(language, text)
      expect(['analyzed', 'timed_out', 'broken']).toContain(outcome.kind)
      expect(await strict.tokenize('python', 'x = 1\n')).toMatchObject({ kind: 'tokenized' })
    } finally {
      await strict.close()
    }
  })
})
