import { afterAll, describe, expect, it } from 'vitest'
import type { SourceLanguage } from '../ports/source-parser.ts'
import { createTreeSitterParser } from './tree-sitter-parser.ts'

const parser = createTreeSitterParser()
afterAll(() => parser.close())

async function isSameCode(language: SourceLanguage, a: string, b: string): Promise<boolean> {
  const [one, other] = [await parser.readCode(language, a), await parser.readCode(language, b)]
  if (one.kind !== 'code' || other.kind !== 'code') throw new Error('not read')
  return one.hash === other.hash
}

const code = 'import os\n\nclass A:\n    def f(self, a):\n        if a:\n            print("x")\n        return a\n'

describe('readCode', () => {
  it.each([
    [
      'comments and docstrings',
      `"""Module."""\nimport os  # why\n\nclass A:\n    """Class."""\n\n    def f(self, a):\n        """Says.\n\n        Longer.\n        """\n        if a:\n            # here\n            print("x")\n        return a\n`,
    ],
    ['blank lines', code.replace('\n\n', '\n\n\n')],
  ])('takes %s for no change of Python', async (_what, text) => {
    expect(await isSameCode('python', code, text)).toBe(true)
  })

  it.each([
    ['a name', code.replace('print', 'repr')],
    ['a text', code.replace('"x"', '"y"')],
    ['an import', code.replace('os', 'sys')],
    ['the block of a statement', code.replace('        return a', '            return a')],
    ['a text that is no docstring', code.replace('        return a', '        "here"\n        return a')],
    ['bytes that stand first', code.replace('        if a', '        b"here"\n        if a')],
    ['a comment that a tool obeys', code.replace('import os', 'import os  # noqa')],
  ])('takes %s for a change of Python', async (_what, text) => {
    expect(await isSameCode('python', code, text)).toBe(false)
  })

  it('knows comments of other languages', async () => {
    const text = 'export function f(a: number): number {\n  return a + 1\n}\n'
    const documented = `/**\n * Adds.\n */\n${text.replace('return', '// why\n  return')}`
    expect(await isSameCode('typescript', text, documented)).toBe(true)
    expect(await isSameCode('typescript', text, documented.replace('// why', '// @ts-ignore'))).toBe(false)
    expect(await isSameCode('typescript', text, text.replace('1', '2'))).toBe(false)
    expect(await isSameCode('rust', 'pub fn f() {}\n', '/// Says.\npub fn f() {}\n')).toBe(true)
    expect(await isSameCode('go', 'package a\n\nfunc F() {}\n', 'package a\n\n// F says.\nfunc F() {}\n')).toBe(true)
    expect(await isSameCode('go', 'package a\n', '//go:build linux\n\npackage a\n')).toBe(false)
    expect(await isSameCode('java', 'class A { void f() {} }\n', '/** Says. */\nclass A { void f() {} }\n')).toBe(true)
  })

  it('counts the comments that tools obey', async () => {
    const text = '#!/usr/bin/env python3\nimport os  # noqa: F401\nx = 1  # not one\n'
    expect(await parser.readCode('python', text)).toMatchObject({ directives: 2 })
  })

  it.each([
    ['typescript', '/* eslint-disable */\n// @ts-expect-error\n/** @jsx h */\n// biome-ignore lint: x\n', 4],
    ['typescript', '// line 3 is odd\n/** export of f */\n// global state\n// eslint is not used\n', 0],
    ['go', 'package a\n\n//go:noinline\n//nolint:all\nfunc f() {}\n', 2],
    ['go', 'package a\n\n// line by line\n// export it\nfunc f() {}\n', 0],
    ['python', '# -*- coding: utf-8 -*-\n# pragma: no cover\nx = 1  # type: ignore\n', 3],
    ['python', '# pragmatic\n# types are checked\nx = 1\n', 0],
  ] as const)('finds them in %s: %s', async (language, text, directives) => {
    expect(await parser.readCode(language, text)).toMatchObject({ directives })
  })

  it('tells code from code that stands in a comment', async () => {
    expect(await isSameCode('javascript', 'f(1)\ng(2)\n', '// f(1)\ng(2)\n')).toBe(false)
  })
})
