import { afterAll, describe, expect, it } from 'vitest'
import { createRuleFindings } from '#test/support/rule-findings.ts'

const rule = createRuleFindings('missing_docs')
afterAll(() => rule.close())

const on = { severities: { missing_docs: 'error' } }

describe('missing_docs', () => {
  it.each<[string, string, string[]]>([
    ['a.py', 'def f():\n    """Doc."""\n\ndef g():\n    return 1\n\ndef _h(): pass\n', ['4 `g` a docstring']],
    ['a.js', '/** Doc. */\nexport function f() {}\n\nexport class G {}\n', ['4 `G` a JSDoc comment']],
    ['a.ts', '// Not JSDoc.\nexport const f = () => 1\nfunction g() {}\n', ['2 `f` a JSDoc comment']],
    ['a.tsx', 'export function A() { return <p /> }\n', ['1 `A` a JSDoc comment']],
    ['a.go', 'package a\n\n// F does.\nfunc F() {}\n\nfunc G() {}\n', ['6 `G` a comment']],
    ['a.rs', '/// Doc.\npub fn f() {}\npub fn g() {}\nfn h() {}\n', ['3 `g` a `///` comment']],
    [
      'A.java',
      '/** Doc. */\npublic class A {\n  public int f() { return 1; }\n  int g() { return 1; }\n}\n',
      ['3 `A.f` a Javadoc comment'],
    ],
    ['a.c', 'int f(void) { return 0; }\n', []],
    ['test_a.py', 'def test_f(): pass\n', []],
    ['tests/a.py', 'def f(): pass\n', []],
    ['a.test.ts', 'export const f = () => 1\n', []],
  ])('names what has no documentation in %s', async (path, text, expected) => {
    const found = await rule.find({ path, text }, on)
    expect(found.map(({ line, message }) => `${line} ${message}`)).toEqual(
      expected.map((each) => {
        const [line, name, ...comment] = each.split(' ')
        return expect.stringContaining(`${line} ${name} has no documentation: add ${comment.join(' ')}`)
      }),
    )
  })

  it('is off unless the repository asks for it', async () => {
    const { ran, skipped } = await rule.check({ path: 'a.py', text: 'def f(): pass\n' })
    expect([...ran, ...skipped.map((each) => each.rule)]).not.toContain('missing_docs')
  })

  it('asks in the languages that were named', async () => {
    const only = { ...on, missing_docs: { languages: ['go'] } }
    expect(await rule.find({ path: 'a.py', text: 'def f(): pass\n' }, only)).toEqual([])
  })

  it('takes what was there before for a warning', async () => {
    const before = 'def f(): pass\n'
    const found = await rule.find({ path: 'a.py', text: `${before}\ndef g(): pass\n`, before }, on)
    expect(found.map(({ severity, line }) => [severity, line])).toEqual([
      ['error', 3],
      ['warning', 1],
    ])
  })
})
