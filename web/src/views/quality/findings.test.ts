import { describe, expect, it } from 'vitest'
import { filterFindings, groupFindings } from './findings.ts'
import { type Finding, parseReport } from './sarif-report.ts'
import { byCommit, toTrend } from './trend.ts'

const finding = (rule: string, path: string, severity: 'error' | 'warning' = 'warning'): Finding => ({
  rule,
  severity,
  path,
  line: 1,
  message: `Mend ${rule}`,
})
const all = [finding('naming', 'b.py'), finding('naming', 'a.py'), finding('syntax', 'a.py', 'error')]

describe('findings', () => {
  it('are grouped by rule or by file, errors first', () => {
    const names = (by: 'rule' | 'file') => groupFindings(all, by).map(({ name, errors }) => `${name} ${errors}`)
    expect(names('rule')).toEqual(['syntax 1', 'naming 0'])
    expect(names('file')).toEqual(['a.py 1', 'b.py 0'])
  })

  it('are filtered by severity, rule, path and message', () => {
    const none = { severity: 'all', rule: '', text: '' } as const
    expect(filterFindings(all, none)).toHaveLength(3)
    expect(filterFindings(all, { ...none, severity: 'error' })).toEqual([all[2]])
    expect(filterFindings(all, { ...none, rule: 'naming', text: 'A.PY' })).toEqual([all[1]])
    expect(filterFindings(all, { ...none, text: 'mend syn' })).toEqual([all[2]])
  })
})

describe('parseReport', () => {
  const run = {
    tool: { driver: { name: 'M', rules: [{ id: 'syntax', shortDescription: { text: 'The file parses' } }] } },
    invocations: [
      { executionSuccessful: true, toolExecutionNotifications: [{ level: 'warning', message: { text: 'n' } }] },
    ],
    results: [
      {
        ruleId: 'syntax',
        level: 'error',
        message: { text: 'no' },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'a%20b/%C3%A9.py' },
              region: { startLine: 3, startColumn: 1 },
            },
          },
        ],
      },
    ],
  }

  it('reads what the server writes, also what it wrote before it had figures', () => {
    const artifacts = [
      { location: { uri: 'a%20b.py' }, properties: { lines: 3, functions: 1, cyclomatic: 2, cognitive: 1 } },
    ]
    expect(parseReport(JSON.stringify({ version: '2.1.0', runs: [{ ...run, artifacts }] }))).toEqual({
      findings: [{ rule: 'syntax', severity: 'error', path: 'a b/é.py', line: 3, message: 'no' }],
      files: [{ path: 'a b.py', lines: 3, functions: 1, cyclomatic: 2, cognitive: 1 }],
      notes: ['n'],
      about: new Map([['syntax', 'The file parses']]),
    })
    expect(parseReport(JSON.stringify({ runs: [run] })).files).toEqual([])
  })

  it('refuses what is no report', () => {
    expect(() => parseReport('{"runs":[]}')).toThrow('Cannot read the report')
    expect(() => parseReport('<')).toThrow('Cannot read the report')
  })
})

describe('the trend', () => {
  const look = (minute: number, result: Record<string, unknown>) => ({
    job_id: `job_${minute}`,
    finished_at: `2026-01-01T00:0${minute}:00.000Z`,
    result: { files_checked: 5, ...result },
  })

  it('has one row for a commit, with the last that each tool said', () => {
    const points = toTrend([
      look(4, { commit: 'bbb', totals: { naming: 1 } }),
      look(1, { commit: 'aaa', totals: { naming: 4, secrets: 1 } }),
      look(2, { commit: 'aaa', score: 80.5 }),
      look(3, { commit: 'aaa', totals: { naming: 2 } }),
    ])
    expect(byCommit(points).map(({ commit, findings, score }) => [commit, findings, score])).toEqual([
      ['aaa', 2, 80.5],
      ['bbb', 1, null],
    ])
  })

  it('keeps what has no commit apart, and leaves out what is no answer', () => {
    const points = toTrend([look(1, { score: 1 }), look(2, { score: 2 }), look(3, { files_checked: 'many' })])
    expect(byCommit(points).map(({ score }) => score)).toEqual([1, 2])
  })
})
