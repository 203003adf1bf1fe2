import { afterAll, describe, expect, it } from 'vitest'
import { createRuleFindings } from '#test/support/rule-findings.ts'

const rule = createRuleFindings('scope')
afterAll(() => rule.close())

const find = async (path: string, before: string, text: string, task: string): Promise<string[]> =>
  (await rule.find({ path, text, before, task })).map(({ severity, line, message }) => `${severity} ${line} ${message}`)

const user = 'class User:\n    def save(self):\n        return 1\n\n    def load(self):\n        return 2\n'
const gone = (name: string): string =>
  `warning null \`${name}\` is gone, and the task does not mention it: put it back as it was`
const strayed = (line: number, name: string, subject: string): string =>
  `warning ${line} \`${name}\` has changed, but the task is about \`${subject}\`: leave it as it was`

describe('scope', () => {
  it.each<[string, string, string, string]>([
    ['a.py', 'def keep(): pass\ndef load(): pass\n', 'def keep(): pass\n', 'load'],
    ['a.js', 'function keep() {}\nfunction load() {}\n', 'function keep() {}\n', 'load'],
    ['a.ts', 'const keep = () => 1\nconst load = () => 2\n', 'const keep = () => 1\n', 'load'],
    ['a.tsx', 'const Keep = () => <p />\nconst Load = () => <b />\n', 'const Keep = () => <p />\n', 'Load'],
    ['a.go', 'package a\nfunc keep() {}\nfunc (a *A) load() {}\n', 'package a\nfunc keep() {}\n', 'A.load'],
    ['a.rs', 'fn keep() {}\nimpl A { fn load() {} }\n', 'fn keep() {}\n', 'A.load'],
    ['A.java', 'class A { void keep() {} void load() {} }\n', 'class A { void keep() {} }\n', 'A.load'],
    ['a.c', 'int keep(void) { return 0; }\nint load(void) { return 1; }\n', 'int keep(void) { return 0; }\n', 'load'],
    ['a.cpp', 'struct A { int load() { return 1; } };\n', 'struct A { };\n', 'A.load'],
  ])('warns of what is gone from %s', async (path, before, text, name) => {
    expect(await find(path, before, text, 'Add a field age')).toEqual([gone(name)])
  })

  it.each(['Remove load', 'Rename `load` to fetch', 'Drop the load method of User', 'LOAD is not needed'])(
    'says nothing where the task mentions it: %s',
    async (task) => {
      expect(await find('a.py', user, user.slice(0, user.indexOf('\n    def load')), task)).toEqual([])
    },
  )

  it('compares names as words', async () => {
    const before = 'def create_user(): pass\ndef f(): pass\n'
    expect(await find('a.py', before, 'def f(): pass\n', 'Remove the create user endpoint')).toEqual([])
    expect(await find('a.py', before, 'def f(): pass\n', 'Remove the endpoint')).toEqual([gone('create_user')])
  })

  it('names a class that is gone, not each of its methods', async () => {
    expect(await find('a.py', `${user}x = 1\n`, 'x = 1\n', 'Set x to 1')).toEqual([gone('User')])
  })

  it('warns of a rename that nobody asked for', async () => {
    expect(await find('a.py', user, user.replace('load', 'fetch'), 'Make save return 3')).toEqual([gone('User.load')])
  })

  const two = 'def save():\n    return 1\n\ndef other():\n    return 2\n\ndef uses():\n    return save()\n'
  it.each<[string, string, string, string[]]>([
    ['the named function', two.replace('1', '9'), 'Make save return 9', []],
    ['another one', two.replace('2', '9'), 'Make save return 9', [strayed(4, 'other', 'save')]],
    ['one that uses the named one', two.replace('save()\n', 'save() + 1\n'), 'Make save return 9', []],
    ['another one, where the task names nothing', two.replace('2', '9'), 'Improve the error texts', []],
    ['another one, where the task names it in words', two.replace('2', '9'), 'Make save and the other return 9', []],
  ])('looks at which function has changed: %s', async (_what, text, task, expected) => {
    expect(await find('a.py', two, text, task)).toEqual(expected)
  })

  it('takes methods for a part of the class that the task names', async () => {
    expect(await find('a.py', user, user.replace('1', '9').replace('2', '8'), 'Add an age to User')).toEqual([])
  })

  it('judges only a change of a file that parses, and only with a task', async () => {
    const ran = async (request: { before: string | null; task?: string }) =>
      (await rule.check({ path: 'a.py', text: 'x = 1\n', ...request })).ran.includes('scope')
    expect(await ran({ before: null, task: 'x' })).toBe(false)
    expect(await ran({ before: user })).toBe(false)
    expect(await ran({ before: user, task: 'x' })).toBe(true)
    const { skipped } = await rule.check({ path: 'a.py', text: 'x = 1\n', before: 'x = (\n', task: 'x' })
    expect(skipped).toContainEqual({ rule: 'scope', reason: 'the file did not parse before' })
  })

  it('answers in bounded time for many definitions and a long task', async () => {
    const before = Array.from({ length: 20_000 }, (_, index) => `def f${index}(): pass\n`).join('')
    const found = await find('a.py', before, 'x = 1\n', 'word '.repeat(10_000))
    expect(found).toHaveLength(5)
    expect(found.at(-1)).toMatch(/\(and more like it\)$/)
  })
})
