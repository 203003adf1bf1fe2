import { afterAll, describe, expect, it } from 'vitest'
import type { Complexity } from '#shared/schemas/check.ts'
import { OVERLY_COMPLEX_FUNCTION } from '#test/support/user-samples.ts'
import type { SourceLanguage } from '../ports/source-parser.ts'
import { createTreeSitterParser } from './tree-sitter-parser.ts'

const parser = createTreeSitterParser()
afterAll(() => parser.close())

async function complexity(language: SourceLanguage, text: string): Promise<Complexity> {
  const outcome = await parser.parse(language, text)
  if (outcome.kind !== 'parsed' || outcome.complexity === null) throw new Error(JSON.stringify(outcome))
  return outcome.complexity
}

/** Language, what it shows, source, cyclomatic, cognitive: of the first function. */
const table: [SourceLanguage, string, string, number, number][] = [
  ['python', 'five nested ifs around three nested loops', OVERLY_COMPLEX_FUNCTION, 9, 36],
  ['python', 'straight code', 'def f():\n    return 1\n', 1, 0],
  [
    'python',
    'elif and else',
    'def f(a):\n    if a:\n        b()\n    elif a:\n        c()\n    else:\n        d()\n',
    3,
    3,
  ],
  [
    'python',
    'an if inside an else',
    'def f(a):\n    if a:\n        b()\n    else:\n        if a:\n            c()\n',
    3,
    4,
  ],
  [
    'python',
    'a nested if in an elif',
    'def f(a):\n    if a:\n        b()\n    elif a:\n        if a:\n            c()\n',
    4,
    4,
  ],
  ['python', 'else of a loop', 'def f(a):\n    for b in a:\n        c()\n    else:\n        d()\n', 3, 2],
  [
    'python',
    'try with two handlers, else and finally',
    'def f():\n    try:\n        a()\n    except B:\n        pass\n    except C:\n        pass\n    else:\n        d()\n    finally:\n        e()\n',
    4,
    2,
  ],
  ['python', 'a run of one operator', 'def f(a, b, c):\n    return a and b and c\n', 3, 1],
  ['python', 'changing operators', 'def f(a, b, c, d):\n    return a or b and c or d\n', 4, 3],
  ['python', 'a negated group', 'def f(a, b, c):\n    return a and not (b and c)\n', 3, 2],
  ['python', 'a group in parentheses', 'def f(a, b, c):\n    return a and (b and c)\n', 3, 1],
  ['python', 'ternary in a loop', 'def f(a):\n    while a:\n        b = 1 if a else 2\n', 3, 3],
  ['python', 'comprehension with conditions', 'def f(a):\n    return [b for b in a if b if not b]\n', 4, 0],
  ['python', 'assert and with', 'def f(a):\n    with a as b:\n        assert b\n', 2, 0],
  [
    'python',
    'match with a default',
    'def f(a):\n    match a:\n        case 1:\n            pass\n        case 2 | 3:\n            pass\n        case _:\n            pass\n',
    3,
    1,
  ],
  ['python', 'a guarded wildcard', 'def f(a):\n    match a:\n        case _ if a:\n            pass\n', 3, 1],
  ['python', 'recursion', 'def f(a):\n    return 1 if a else f(a)\n', 2, 2],
  ['python', 'recursion of a method', 'class A:\n    def f(self):\n        return self.f()\n', 1, 1],
  ['python', 'a method that calls a function of its name', 'class A:\n    def f(self):\n        return f()\n', 1, 0],
  ['python', 'an inner function', 'def f():\n    def g(a):\n        if a:\n            b()\n    g(1)\n', 1, 2],
  ['python', 'a lambda', 'def f():\n    return lambda a: 1 if a else 2\n', 2, 2],
  [
    'javascript',
    'else if chain',
    'function f(a) { if (a) { b() } else if (a) { c() } else if (d) { e() } else { g() } }',
    4,
    4,
  ],
  ['javascript', 'switch with default', 'function f(a) { switch (a) { case 1: case 2: break; default: b() } }', 3, 1],
  ['javascript', 'labelled continue', 'function f(a) { x: for (const b of a) { for (;;) { continue x } } }', 3, 4],
  ['javascript', 'logical operators, ?? once for McCabe only', 'const f = (a, b, c) => (a && b) ?? c', 3, 1],
  ['javascript', 'catch in a loop', 'function f() { while (a) { try { b() } catch { c() } } }', 3, 3],
  ['javascript', 'a factory that only holds functions', 'function f() { return { g() { if (a) { b() } } } }', 1, 0],
  ['javascript', 'a callback', 'function f(a) { if (a) a.map((b) => b ? 1 : 2) }', 2, 4],
  ['typescript', 'ternary chain', 'const f = (a: number): number => a > 2 ? 1 : a > 1 ? 2 : 3', 3, 3],
  ['tsx', 'condition in markup', 'const F = ({ a }: P) => <p>{a && <b />}{a ? 1 : 2}</p>', 3, 2],
  ['go', 'else if, else', 'package m\nfunc f(a int) { if a > 1 { b() } else if a > 2 { c() } else { d() } }', 3, 3],
  ['go', 'select and range', 'package m\nfunc f(a int) { for range a { select { case <-b: default: } } }', 3, 3],
  ['go', 'a function literal', 'package m\nfunc f() { g(func() { if a { b() } }) }', 2, 2],
  [
    'rust',
    'else if, else, match with wildcard',
    'fn f(a: i32) { if a > 1 {} else if a > 2 {} else {} match a { 1 => b(), _ => c() } }',
    4,
    4,
  ],
  [
    'rust',
    'let chain, let else, labelled break',
    "fn f() { if let Some(x) = y && z {} let Some(q) = w else { return }; 'a: loop { break 'a } }",
    5,
    4,
  ],
  [
    'java',
    'else if, switch, catch',
    'class A { int f(int a) { if (a > 1) {} else if (a > 2) {} else {} switch (a) { case 1: break; default: } try { b(); } catch (E e) {} return 1; } }',
    5,
    5,
  ],
  ['java', 'recursion', 'class A { int f(int a) { return a > 1 ? f(a - 1) : 0; } }', 2, 2],
  ['java', 'an overload is no recursion', 'class A { int f(int a) { return f(a, 0); } }', 1, 0],
  [
    'c',
    'goto, do and case',
    'int f(int a) { do { switch (a) { case 1: goto end; default: break; } } while (a); end: return 0; }',
    3,
    4,
  ],
  [
    'cpp',
    'range loop, and/or, lambda',
    'int A::f(int a) { for (auto x : y) { if (a and b or c) { z(); } } auto l = [](int q) { return q ? 1 : 2; }; return 0; }',
    6,
    7,
  ],
]

describe('complexityOf', () => {
  it.each(table)('%s: %s', async (language, _what, text, cyclomatic, cognitive) => {
    const [first] = (await complexity(language, text)).functions
    expect({ cyclomatic: first?.cyclomatic, cognitive: first?.cognitive }).toEqual({ cyclomatic, cognitive })
  })

  it.each<[SourceLanguage, string, string[]]>([
    [
      'python',
      'class A:\n    def f(self):\n        def g():\n            pass\n\nasync def h():\n    pass\n',
      ['f', 'g', 'h'],
    ],
    [
      'javascript',
      'const a = () => 1; const b = { c: function () {}, d() {} }; class E { f = () => 1; g() {} }; h(() => 2)',
      ['a', 'c', 'd', 'f', 'g', '(anonymous)'],
    ],
    ['typescript', 'abstract class A { private b = (): void => {}; constructor() {} }', ['b', 'constructor']],
    ['go', 'package m\nfunc (r *T) f() {}\nfunc g() {}', ['f', 'g']],
    ['rust', 'impl A { fn f(&self) {} }\nfn g() {}', ['f', 'g']],
    ['java', 'class A { A() {} void f() {} }', ['A', 'f']],
    ['c', 'static char *f(int a) { return 0; }', ['f']],
    ['cpp', 'int A::f() { return 0; }\ntemplate <class T> T g(T a) { return a; }', ['A::f', 'g']],
  ])('names the functions of %s', async (language, text, names) => {
    expect((await complexity(language, text)).functions.map(({ name }) => name)).toEqual(names)
  })

  it('says where a function stands and how long it is', async () => {
    const { functions } = await complexity('python', '\n\ndef f():\n    a()\n    return 1\n')
    expect(functions).toEqual([
      { name: 'f', line: 3, lines: 3, cyclomatic: 1, cognitive: 0, nesting: 0, parameters: 0 },
    ])
  })

  it.each<[SourceLanguage, string, number]>([
    ['python', OVERLY_COMPLEX_FUNCTION, 8],
    ['python', 'def f(a):\n    if a:\n        b()\n    elif a:\n        for c in a: d()\n    else:\n        e()\n', 2],
    ['python', 'def f(a):\n    try:\n        b()\n    except E:\n        if a: c()\n', 2],
    ['python', 'def f(a):\n    if a:\n        def g():\n            if a: b()\n', 1],
    ['typescript', 'function f(a) { if (a) {} else if (b) { while (c) { d ? 1 : 2 } } else {} }', 2],
    ['typescript', 'function f(a) { switch (a) { case 1: if (b) { c() } } }', 2],
    ['go', 'package m\nfunc f(a int) { if a > 1 {} else if a > 2 { for {} } }', 2],
    ['rust', 'fn f() { loop { match a { 1 => if b {}, _ => {} } } }', 3],
    ['java', 'class A { void f() { if (a) {} else if (b) { for (;;) {} } } }', 2],
    ['c', 'int f() { do { if (a) return 1; } while (b); return 0; }', 2],
  ])('measures nesting: %s: %s', async (language, text, nesting) => {
    expect((await complexity(language, text)).functions[0]?.nesting).toBe(nesting)
  })

  it.each<[SourceLanguage, string, number]>([
    ['python', 'def f(a, b=1, *c, d: int = 2, **e): pass\n', 5],
    ['python', 'def f(a, /, b, *, c): pass\n', 3],
    ['python', 'class A:\n    def f(self, a): pass\n', 1],
    ['python', 'class A:\n    def f(cls: type[A]): pass\n', 0],
    ['python', 'def f(self): pass\n', 1],
    ['javascript', 'const f = a => a', 1],
    ['typescript', 'function f(this: A, a?: b, { c, d }: E, ...g: h[]) {}', 3],
    ['go', 'package m\nfunc (r *T) f(a, b int, c ...string) {}', 3],
    ['go', 'package m\nfunc f(int, string) {}', 2],
    ['rust', 'impl A { fn f(&self, a: i32, (b, c): (i32, i32)) {} }', 2],
    ['java', 'class A { void f(A this, int a, int... b) {} }', 2],
    ['c', 'int f(void) { return 0; }', 0],
    ['c', 'int f(int a, char *b, ...) { return 0; }', 3],
    ['cpp', 'int A::f(int a /* one */, int b = 2) { return 0; }', 2],
  ])('counts parameters: %s: %s', async (language, text, parameters) => {
    expect((await complexity(language, text)).functions[0]?.parameters).toBe(parameters)
  })

  it('counts code outside functions, and takes the highest for the file', async () => {
    const text = 'if a:\n    if b:\n        c()\n\n\ndef f():\n    return 1 if a else 2\n'
    expect(await complexity('python', text)).toMatchObject({ cyclomatic: 3, cognitive: 3 })
  })

  it('has no figures for data or for a file with syntax errors', async () => {
    expect(await parser.parse('yaml', 'a: 1\n')).toMatchObject({ complexity: null })
    expect(await parser.parse('python', 'def f(:\n')).toMatchObject({ complexity: null })
  })

  it.each<[SourceLanguage, string]>([
    ['python', `x = ${'a and '.repeat(20_000)}b\n`],
    ['javascript', `${'function f(){'.repeat(500)}${'}'.repeat(500)}`],
  ])('does not depend on the depth of the tree: %s', async (language, text) => {
    expect((await parser.parse(language, text)).kind).toBe('parsed')
  })
})
