import { afterAll, describe, expect, it } from 'vitest'
import { createTreeSitterParser } from '../adapters/tree-sitter-parser.ts'
import type { Mutant, SourceLanguage } from '../ports/source-parser.ts'
import { applyMutant, chooseMutants } from './mutants.ts'

const parser = createTreeSitterParser()
afterAll(() => parser.close())

async function mutantsOf(language: SourceLanguage, text: string): Promise<readonly Mutant[]> {
  const outcome = await parser.mutate(language, text)
  if (outcome.kind !== 'mutants') throw new Error(outcome.kind)
  return outcome.mutants
}

const textsOf = async (language: SourceLanguage, text: string): Promise<string[]> =>
  (await mutantsOf(language, text)).map((each) => applyMutant(text, each))

describe('mutants', () => {
  it('break Python in one place each', async () => {
    const text = 'LIMIT = 3 + 1\n\ndef f(a, b):\n    """Says."""\n    return a < b and a == 10\n'
    expect(await textsOf('python', text)).toEqual([
      'LIMIT = 3 + 1\n\ndef f(a, b):\n    return None\n',
      text.replace('<', '>='),
      text.replace('and', 'or'),
      text.replace('==', '!='),
      text.replace('10', '11'),
    ])
  })

  it('break TypeScript, whatever form a function has', async () => {
    expect(await textsOf('typescript', 'export const f = (a: number): number => a * 2\n')).toEqual([
      'export const f = (a: number): number => (undefined as never)\n',
      'export const f = (a: number): number => a + 2\n',
      'export const f = (a: number): number => a * 3\n',
    ])
    expect(await textsOf('typescript', 'class A {\n  m<T>(): boolean {\n    return true\n  }\n}\n')).toEqual([
      'class A {\n  m<T>(): boolean { return undefined as never }\n}\n',
      'class A {\n  m<T>(): boolean {\n    return false\n  }\n}\n',
    ])
  })

  it.each([
    ['go', 'package a\n\nfunc F(a int) int {\n\treturn a + 1\n}\n', '{ panic("broken on purpose") }'],
    ['rust', 'pub fn f(a: i32) -> i32 {\n    a + 1\n}\n', '{ panic!("broken on purpose") }'],
    ['javascript', 'function f(a) {\n  return a + 1\n}\n', '{ return undefined }'],
  ] as const)('break %s', async (language, text, body) => {
    const [emptied, ...changed] = await textsOf(language, text)
    expect(emptied).toContain(body)
    expect(changed).toEqual([text.replace('+', '-'), text.replace('1', '2')])
  })

  it('leave alone what does nothing, and what stands in no function', async () => {
    const text = 'A = 1 < 2\n\ndef f():\n    """Nothing."""\n    pass\n\ndef g(): ...\n'
    expect(await mutantsOf('python', text)).toEqual([])
  })

  it('count places without the byte-order mark', async () => {
    const text = '\uFEFFdef f(a):\n    return a + 1\n'
    expect((await textsOf('python', text))[0]).toBe('\uFEFFdef f(a):\n    return None\n')
  })

  it('say in words what they break', async () => {
    const [first, second] = await mutantsOf('python', 'def f(a):\n    return a + 1\n')
    expect(first?.what).toBe('`f` (line 1) did nothing')
    expect(second?.what).toBe('line 2, in `f`: `+` was `-`')
  })
})

describe('chooseMutants', () => {
  const mutant = (name: string, kind: Mutant['kind'], line: number): Mutant => ({
    function: name,
    kind,
    line,
    what: '',
    start: 0,
    end: 0,
    replacement: '',
  })
  const long = ['a', 'b', 'c'].flatMap((name) => [
    mutant(name, 'emptied', 1),
    ...[2, 3, 4, 5].map((line) => mutant(name, 'changed', line)),
  ])
  const shown = (chosen: readonly Mutant[]): string[] => chosen.map((each) => `${each.function}${each.line}`)

  it('takes every function, and the other breaks from all of them in turn', () => {
    expect(shown(chooseMutants(long, 6))).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2'])
  })

  it('leaves room for both kinds', () => {
    expect(shown(chooseMutants(long, 4))).toEqual(['a1', 'b1', 'a2', 'b2'])
    expect(chooseMutants(long, 100)).toHaveLength(long.length)
  })
})
