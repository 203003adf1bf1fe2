import { afterAll, describe, expect, it } from 'vitest'
import { createRuleFindings } from '#test/support/rule-findings.ts'

const rule = createRuleFindings('function_length')
afterAll(() => rule.close())

const many = (line: string, count: number): string => line.repeat(count)
const python = (lines: number): string => `x = 1\ndef f():\n${many('    a()\n', lines - 1)}`

describe('function_length', () => {
  it.each<[string, string]>([
    ['a.py', python(61)],
    ['a.js', `x\nfunction f() {\n${many('  a()\n', 59)}}\n`],
    ['a.ts', `x\nconst f = (): void => {\n${many('  a()\n', 59)}}\n`],
    ['a.tsx', `x\nfunction f() {\n${many('  a()\n', 59)}}\n`],
    ['a.go', `package a\nfunc f() {\n${many('\ta()\n', 59)}}\n`],
    ['a.rs', `use a;\nfn f() {\n${many('    a();\n', 59)}}\n`],
    ['A.java', `class A {\nvoid f() {\n${many('  a();\n', 59)}}\n}\n`],
    ['a.c', `int x;\nvoid f(void) {\n${many('  a();\n', 59)}}\n`],
    ['a.cpp', `int x;\nvoid f() {\n${many('  a();\n', 59)}}\n`],
  ])('warns of a function of 61 lines in %s', async (path, text) => {
    expect(await rule.find({ path, text })).toEqual([
      {
        severity: 'warning',
        line: 2,
        message: '`f` has 61 lines, limit 60: move parts of it into functions of their own',
      },
    ])
  })

  it('allows 60', async () => {
    expect(await rule.find({ path: 'a.py', text: python(60) })).toEqual([])
  })

  it('leaves functions without a name alone: they wrap tests and modules', async () => {
    expect(await rule.find({ path: 'a.js', text: `describe("a", () => {\n${many('  a()\n', 80)}})\n` })).toEqual([])
  })

  it.each<[string, number, string]>([
    ['grew', 70, 'error'],
    ['stayed as it was', 71, 'warning'],
    ['shrank', 80, 'warning'],
  ])('refuses a long function only where the change made it longer: %s', async (_what, before, severity) => {
    const strict = { severities: { function_length: 'error' } }
    const found = await rule.find({ path: 'a.py', text: python(71), before: python(before) }, strict)
    expect(found.map((each) => each.severity)).toEqual([severity])
  })

  it('takes another limit', async () => {
    expect(await rule.find({ path: 'a.py', text: python(5) }, { function_length: { lines: 4 } })).toHaveLength(1)
  })

  it('says that a file does not parse, and where there are no functions', async () => {
    const reasons = async (path: string, text: string) =>
      (await rule.check({ path, text })).skipped.filter((each) => each.rule === 'function_length')
    expect(await reasons('a.py', 'def f(\n')).toEqual([{ rule: 'function_length', reason: 'the file does not parse' }])
    expect(await reasons('a.json', '{}\n')).toEqual([{ rule: 'function_length', reason: 'json has no functions' }])
    expect(await reasons('a.rb', 'x\n')).toEqual([{ rule: 'function_length', reason: 'no grammar for ruby' }])
  })
})
