import { describe, expect, it } from 'vitest'
import { issueKinds } from '#shared/schemas/validation.ts'
import { createFindingCollector } from './findings.ts'
import { scoreOf, toComplianceOutcome, toValidationOutcome } from './outcome.ts'
import type { RepositoryReport } from './repository-validation.ts'

const finding = (severity: 'error' | 'warning', line: number | null = null) => ({
  severity,
  message: 'no',
  line,
  column: null,
})

function report(add: (collector: ReturnType<typeof createFindingCollector>) => void): RepositoryReport {
  const collector = createFindingCollector()
  add(collector)
  const found = collector.finish()
  const nothing = { filesKnown: 0, filesSkipped: 0, skipped: [], files: [], notRun: [], incomplete: null }
  return { ...found, ...nothing, passed: found.errorCount === 0, filesChecked: 1 }
}

const place = { sarif: '', commit: null }

describe('a report for callers', () => {
  it('has a list and a total for each kind, empty or not', () => {
    const outcome = toValidationOutcome(
      report(() => {}),
      { sarif: 'uri', commit: 'c0ffee' },
    )
    expect(Object.keys(outcome.issues)).toEqual([...issueKinds])
    expect(Object.values(outcome.issues).flat()).toEqual([])
    expect(Object.values(outcome.totals)).toEqual(issueKinds.map(() => 0))
    expect(outcome).toMatchObject({ passed: true, hints: {}, sarif: 'uri', commit: 'c0ffee' })
  })

  it('lists errors first, then by path and line, and counts what it does not list', () => {
    const outcome = toValidationOutcome(
      report((collector) => {
        for (let at = 0; at < 3000; at++)
          collector.add('naming', 'error', `w${String(at).padStart(4, '0')}.py`, [finding('warning')])
        collector.add('naming', 'error', 'z.py', [finding('error', 9), finding('error', 3)])
        collector.add('line_limit', 'error', 'a.py', [finding('error')])
      }),
      place,
    )
    expect(outcome.passed).toBe(false)
    expect(outcome.totals).toMatchObject({ naming: 3002, exceeds_limit: 1, secrets: 0 })
    expect(outcome.issues.naming).toHaveLength(20)
    expect(outcome.issues.naming.slice(0, 3).map(({ path, line }) => `${path} ${line}`)).toEqual([
      'z.py 3',
      'z.py 9',
      'w0000.py null',
    ])
    expect(Object.keys(outcome.hints)).toEqual(['naming', 'exceeds_limit'])
  })

  it('counts by rule what passed and failed, the worst first', () => {
    const outcome = toComplianceOutcome(
      report((collector) => {
        for (const path of ['a', 'b', 'c', 'd']) collector.add('syntax', 'error', path, [])
        for (const path of ['a', 'b']) collector.add('complexity', 'warning', path, [])
        for (const path of ['d', 'c'])
          collector.add('complexity', 'warning', path, [finding('warning'), finding('warning')])
      }),
      place,
    )
    expect(outcome.rules).toEqual([
      { rule: 'complexity', severity: 'warning', passed: 2, failed: 2, files: ['c', 'd'], hint: expect.any(String) },
      { rule: 'syntax', severity: 'error', passed: 4, failed: 0, files: [], hint: null },
    ])
    // Two thirds for the required rule, half of one third for the other.
    expect(outcome.score).toBe(83.3)
    expect(outcome.passed).toBe(true)
  })

  it('gives 100 only where nothing failed', () => {
    expect(scoreOf([])).toBe(100)
    expect(scoreOf([{ severity: 'warning', passed: 1, failed: 0 }])).toBe(100)
    expect(scoreOf([{ severity: 'warning', passed: 99_999, failed: 1 }])).toBe(99.9)
    expect(scoreOf([{ severity: 'error', passed: 0, failed: 1 }])).toBe(0)
  })
})
