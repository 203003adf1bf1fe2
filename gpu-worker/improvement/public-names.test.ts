import { afterAll, describe, expect, it } from 'vitest'
import { createTreeSitterParser } from '../adapters/tree-sitter-parser.ts'
import { readPublicNames } from './public-names.ts'

const parser = createTreeSitterParser()
afterAll(() => parser.close())

const read = async (path: string, text: string): Promise<Record<string, number | null>> =>
  Object.fromEntries((await readPublicNames(parser, path, text, new AbortController().signal)) ?? [])

describe('readPublicNames', () => {
  it('knows what is public in Python', async () => {
    const text =
      'class A:\n    def f(self, a):\n        pass\n    def _g(self):\n        pass\n\ndef h(a, b=1):\n    pass\n'
    expect(await read('a.py', text)).toEqual({ A: null, 'A.f': 1, h: 2 })
  })

  it('takes the methods of an exported class for public, but for private ones', async () => {
    const text =
      'export class A {\n  f(a: number) {}\n  private g() {}\n  #h() {}\n}\nclass B {\n  f() {}\n}\nexport const k = (a: number) => a\n'
    expect(await read('a.ts', text)).toEqual({ A: null, 'A.f': 1, k: 1 })
  })

  it('takes everything of C', async () => {
    expect(await read('a.c', 'static int f(int a) { return a; }\n')).toEqual({ f: 1 })
  })

  it('says nothing of what has no definitions, and of what does not parse', async () => {
    const signal = new AbortController().signal
    expect(await readPublicNames(parser, 'a.json', '{}', signal)).toBeNull()
    expect(await readPublicNames(parser, 'a.py', 'def f(:\n', signal)).toBeNull()
  })
})
