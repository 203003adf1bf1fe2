import { afterAll, describe, expect, it } from 'vitest'
import type { SourceLanguage } from '../ports/source-parser.ts'
import { createTreeSitterParser } from './tree-sitter-parser.ts'

const parser = createTreeSitterParser()
afterAll(() => parser.close())

/** Each definition in a line: `kind name first-last`, `public` and `docs` where they are. */
async function definitions(language: SourceLanguage, text: string): Promise<string[]> {
  const outcome = await parser.parse(language, text)
  if (outcome.kind !== 'parsed' || outcome.faultCount > 0) throw new Error(`not parsed: ${JSON.stringify(outcome)}`)
  return outcome.definitions.map(({ kind, name, line, endLine, isPublic, hasDocs }) =>
    [kind, name, `${line}-${endLine}`, ...(isPublic ? ['public'] : []), ...(hasDocs ? ['docs'] : [])].join(' '),
  )
}

describe('definitions', () => {
  it.each<[string, SourceLanguage, string, string[]]>([
    [
      'classes, methods and functions of Python, but not what stands in functions',
      'python',
      'class A:\n    """Doc."""\n\n    def f(self):\n        # why\n        "doc"\n\n    def _g(self):\n        def inner(): pass\n\ndef h(): pass\n',
      ['class A 1-9 public docs', 'function A.f 4-6 public docs', 'function A._g 8-9', 'function h 11-11 public'],
    ],
    [
      'what is in a private class of Python is private',
      'python',
      'class _A:\n    def f(self): pass\n',
      ['class _A 1-2', 'function _A.f 2-2'],
    ],
    [
      'overloads and setters of Python need no docstring',
      'python',
      'class A:\n    @property\n    def f(self): return 1\n    @f.setter\n    def f(self, v): pass\n\n@typing.overload\ndef g(): ...\n',
      ['class A 1-5 public', 'function A.f 3-3 public', 'function A.f 5-5 public docs', 'function g 8-8 public docs'],
    ],
    [
      'exports of TypeScript, in every form',
      'typescript',
      '/** Doc. */\nexport function f() {}\n// no doc\nexport const g = async () => 1\n/** Doc. */\nexport const h = function () {}\nfunction i() {}\nexport { i as j }\nconst k = 1\nexport interface L {}\n',
      [
        'function f 2-2 public docs',
        'function g 4-4 public',
        'function h 6-6 public docs',
        'function i 7-7 public',
        'class L 10-10',
      ],
    ],
    [
      'classes of JavaScript, and not what their methods hold',
      'javascript',
      '/** Doc. */\nexport default class A {\n  /** Doc. */\n  b() { const c = () => 1 }\n}\nclass D {}\n',
      ['class A 2-5 public docs', 'function A.b 4-4 docs', 'class D 6-6'],
    ],
    [
      'Go by the case of its names, methods by their receiver',
      'go',
      'package a\n\n// F does.\nfunc F() {}\nfunc g() {}\n\n// A is.\ntype A struct{}\n\nfunc (a *A) M() {}\n\ntype (\n\t// C is.\n\tC int\n\td int\n)\n',
      [
        'function F 4-4 public docs',
        'function g 5-5',
        'class A 8-8 public docs',
        'function A.M 10-10 public',
        'class C 14-14 public docs',
        'class d 15-15',
      ],
    ],
    [
      'pub of Rust, over attributes, in impl blocks',
      'rust',
      '/// Doc.\n#[inline]\npub fn f() {}\npub(crate) fn g() {}\n\npub struct S;\nimpl S {\n    /// Doc.\n    pub fn m(&self) {}\n}\n',
      ['function f 3-3 public docs', 'function g 4-4', 'class S 6-6 public', 'function S.m 9-9 public docs'],
    ],
    [
      'public of Java',
      'java',
      '/** Doc. */\npublic class A {\n  @Override\n  public void m() {}\n  public int n() { return 1; }\n  void o() {}\n}\n',
      ['class A 2-7 public docs', 'function A.m 3-4 public docs', 'function A.n 5-5 public', 'function A.o 6-6'],
    ],
    [
      'functions and types of C++',
      'cpp',
      'namespace n {\nstruct S { int a; int f() { return a; } };\n}\nint *g(int a) { return 0; }\n',
      ['class n.S 2-2 docs', 'function n.S.f 2-2 docs', 'function g 4-4 docs'],
    ],
    ['nothing of YAML', 'yaml', 'a: 1\n', []],
    ['nothing of JSON', 'json', '{}\n', []],
  ])('are %s', async (_what, language, text, expected) => {
    expect(await definitions(language, text)).toEqual(expected)
  })

  it('are found in a text that is very deep, and in one that is very long', async () => {
    const deep = Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}class C${depth}:\n`).join('')
    expect(await definitions('python', `${deep}${' '.repeat(400)}x = 1\n`)).toHaveLength(400)
    expect(await definitions('go', `package a\n${'// c\nfunc F() {}\n'.repeat(20_000)}`)).toHaveLength(20_000)
  })
})

describe('types left out', () => {
  /** Each function with what it leaves out: `name: parameters`, `-> ?` for its return. */
  async function untyped(language: SourceLanguage, text: string): Promise<string[]> {
    const outcome = await parser.parse(language, text)
    if (outcome.kind !== 'parsed' || outcome.faultCount > 0) throw new Error(`not parsed: ${JSON.stringify(outcome)}`)
    return outcome.definitions.flatMap(({ name, untypedParameters, isReturnUntyped }) =>
      untypedParameters.length === 0 && !isReturnUntyped
        ? []
        : [`${name}: ${[...untypedParameters, ...(isReturnUntyped ? ['-> ?'] : [])].join(' ')}`],
    )
  }

  it.each<[string, SourceLanguage, string, string[]]>([
    ['nothing where all is said', 'python', 'def f(a: int, *b: int, c: int = 1, **d: int) -> int: ...\n', []],
    ['parameters and return', 'python', 'def f(a, b: int, *c, d=1, **e): ...\n', ['f: a *c d **e -> ?']],
    ['only the return', 'python', 'async def f(a: int): ...\n', ['f: -> ?']],
    ['markers are no parameters', 'python', 'def f(a: int, /, *, b: int) -> None: ...\n', []],
    [
      'self and cls of methods',
      'python',
      'class A:\n    def f(self): ...\n    @classmethod\n    def g(cls) -> int: ...\n',
      ['A.f: -> ?'],
    ],
    ['self of a function', 'python', 'def f(self) -> int: ...\n', ['f: self']],
    [
      'constructors return what they must',
      'python',
      'class A:\n    def __init__(self, a): ...\n    def __new__(cls): ...\n',
      ['A.__init__: a'],
    ],
    [
      'lambdas and inner functions are not asked',
      'python',
      'def f() -> int:\n    def g(a): ...\n    return lambda b: b\n',
      [],
    ],
    [
      'parameters of functions and methods',
      'typescript',
      'function f(a, b?, c = 1, ...d) {}\nclass A { m(e, { g }) {} }\n',
      ['f: a b ...d', 'A.m: e { g }'],
    ],
    ['what the compiler infers', 'typescript', 'const f = (a) => a\nconst o = { m(a) {} }\nf(function (b) {})\n', []],
    ['return types are inferred', 'tsx', 'export function f(a: number) { return a }\n', []],
    ['nothing of JavaScript', 'javascript', 'function f(a) {}\n', []],
    ['nothing of Go', 'go', 'package a\nfunc f(a int) {}\n', []],
  ])('are %s (%s)', async (_what, language, text, expected) => {
    expect(await untyped(language, text)).toEqual(expected)
  })
})
