import { afterAll, describe, expect, it } from 'vitest'
import type { SourceLanguage } from '../ports/source-parser.ts'
import { createTreeSitterParser } from './tree-sitter-parser.ts'

const parser = createTreeSitterParser()
afterAll(() => parser.close())

describe('constants', () => {
  it.each<[SourceLanguage, string, string[]]>([
    [
      'python',
      'from typing import Final\nA: Final = 1\nb: Final[int] = 2\nC = 3\nd: int = 4\nx.e: Final = 5\n',
      ['2 A', '3 b'],
    ],
    [
      'typescript',
      'export const A = 1\nconst b = "x", c = -2\nconst f = () => 1\nlet D = 1\nconst { e } = { e: 1 }\nfunction g() { const h = 1 }\n',
      ['1 A', '2 b', '2 c'],
    ],
    ['javascript', 'const A = true\nvar B = 1\nconst o = {}\n', ['1 A']],
    ['go', 'package p\n\nconst A = 1\nconst (\n\tb = 2\n\tC = 3\n)\nvar d = 4\n', ['3 A', '5 b', '6 C']],
    ['rust', 'const A: u8 = 1;\nstatic b: u8 = 2;\nfn f() { const C: u8 = 3; }\n', ['1 A', '2 b']],
    [
      'java',
      'class K {\n  static final int A = 1;\n  final int b = 2;\n  private static final String C = "c", d = "d";\n}\n',
      ['2 A', '4 C', '4 d'],
    ],
    ['c', '#define A 1\n#define GUARD\n#define F(x) x\nint b = 2;\n', ['1 A']],
    ['yaml', 'a: 1\n', []],
  ])('of %s', async (language, text, expected) => {
    const outcome = await parser.parse(language, text)
    if (outcome.kind !== 'parsed') throw new Error(outcome.kind)
    expect(outcome.faults).toEqual([])
    expect(outcome.constants.map(({ name, line }) => `${line} ${name}`)).toEqual(expected)
  })

  it('of a text that does not parse are none', async () => {
    expect(await parser.parse('python', 'from typing import Final\nA: Final = (\n')).toMatchObject({ constants: [] })
  })
})
