import { afterAll, describe, expect, it } from 'vitest'
import { createRuleFindings } from '#test/support/rule-findings.ts'

const rule = createRuleFindings('forbidden_pattern')
afterAll(() => rule.close())

const noPrint = { pattern: '\\bprint\\(', files: 'src/**', message: 'Use the logger instead of print' }

describe('forbidden_pattern', () => {
  it('refuses a line that matches, with what to do instead', async () => {
    const text = 'a = 1\nif a:\n    print(a)\n'
    expect(await rule.find({ path: 'src/a.py', text }, { forbidden_pattern: [noPrint] })).toEqual([
      { severity: 'error', line: 3, message: 'Use the logger instead of print' },
    ])
  })

  it.each(['a.py', 'a.rb', 'a.md', 'a.unknown'])('needs no grammar: %s', async (path) => {
    const pattern = { pattern: 'xyz', message: 'No xyz' }
    expect(await rule.find({ path, text: '# xyz\n' }, { forbidden_pattern: [pattern] })).toHaveLength(1)
  })

  it('says nothing of files that no pattern is for', async () => {
    const { ran } = await rule.check({ path: 'b.py', text: 'print(1)\n' }, { forbidden_pattern: [noPrint] })
    expect(ran).not.toContain('forbidden_pattern')
  })

  it('takes lines that were there before for a warning, and however many they are, they hide no new one', async () => {
    const before = 'print(1)\n'.repeat(50)
    const found = await rule.find(
      { path: 'src/a.py', text: `${before}print(1)\n`, before },
      { forbidden_pattern: [noPrint] },
    )
    expect(found.map(({ severity, line }) => `${severity} ${line}`)).toEqual([
      'error 51',
      ...[1, 2, 3, 4, 5].map((line) => `warning ${line}`),
    ])
    expect(found.at(-1)?.message).toBe('Use the logger instead of print (and further lines)')
  })

  it.each(['(a*)*b', '(a|a)*$x', 'a.*a.*a.*b'])('answers in bounded time for %s', async (pattern) => {
    const hostile = { pattern, message: 'No' }
    const text = `${'a'.repeat(500_000)}\n${'a\n'.repeat(100_000)}`
    expect(await rule.find({ path: 'a.txt', text }, { forbidden_pattern: [hostile] })).toEqual([])
  })
})
