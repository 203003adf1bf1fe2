import type { Log } from 'sarif'
import { describe, expect, it } from 'vitest'
import type { RepositoryFinding } from './findings.ts'
import type { RepositoryReport } from './repository-validation.ts'
import { toSarif } from './sarif.ts'

const finding: RepositoryFinding = {
  rule: 'syntax',
  severity: 'error',
  path: 'src/a b#c/é:1.py',
  line: 3,
  column: 5,
  message: 'no',
}
const missing: RepositoryFinding = {
  ...finding,
  rule: 'missing_readmes',
  severity: 'warning',
  path: 'README.md',
  line: null,
  column: null,
}

const report = (findings: RepositoryFinding[], more: Partial<RepositoryReport> = {}): RepositoryReport => ({
  findings,
  totals: new Map([['syntax', findings.length]]),
  tallies: [],
  errorCount: findings.length,
  passed: false,
  incomplete: null,
  filesChecked: 1,
  filesKnown: 0,
  filesSkipped: 0,
  skipped: [],
  files: [],
  notRun: [],
  ...more,
})

describe('toSarif', () => {
  it('writes results as the format has them', () => {
    // The published types are the proof of the shape.
    const log: Log = toSarif(report([finding, missing]), '1.2.3')
    expect(log.version).toBe('2.1.0')
    const [run] = log.runs
    expect(run?.tool.driver).toMatchObject({ name: 'Millwright', version: '1.2.3' })
    expect(run?.tool.driver.rules?.map(({ id }) => id)).toEqual(['missing_readmes', 'syntax'])
    const place = { uri: 'src/a%20b%23c/%C3%A9%3A1.py', uriBaseId: '%SRCROOT%' }
    expect(run?.results).toEqual([
      {
        ruleId: 'syntax',
        ruleIndex: 1,
        level: 'error',
        message: { text: 'no' },
        locations: [{ physicalLocation: { artifactLocation: place, region: { startLine: 3, startColumn: 5 } } }],
      },
      {
        ruleId: 'missing_readmes',
        ruleIndex: 0,
        level: 'warning',
        message: { text: 'no' },
        locations: [{ physicalLocation: { artifactLocation: { uri: 'README.md', uriBaseId: '%SRCROOT%' } } }],
      },
    ])
  })

  it('has the figures of the files', () => {
    const files = [{ path: 'src/a b.py', lines: 9, functions: 2, cyclomatic: 3, cognitive: 4 }]
    const log: Log = toSarif(report([], { files }), '1')
    expect(log.runs[0]?.artifacts).toEqual([
      {
        location: { uri: 'src/a%20b.py', uriBaseId: '%SRCROOT%' },
        roles: ['analysisTarget'],
        properties: { lines: 9, functions: 2, cyclomatic: 3, cognitive: 4 },
      },
    ])
  })

  it('says what was not looked at and what is not listed', () => {
    const more = { incomplete: 'too many', filesSkipped: 2, notRun: [{ rule: 'naming', reason: 'off' }] }
    const log = toSarif(report([finding], { ...more, totals: new Map([['syntax', 8]]) }), '1')
    const notes = log.runs[0]?.invocations[0]?.toolExecutionNotifications.map(({ message }) => message.text)
    expect(notes).toEqual([
      'Not everything was looked at: too many',
      '2 files were not checked: too large, no text, protected or gone',
      '7 further findings are not listed',
      'The rule naming did not run: off',
    ])
    expect(log.runs[0]?.invocations[0]?.executionSuccessful).toBe(false)
  })

  it('fits into a message, however many findings there are and however long their paths', () => {
    const long = { ...finding, path: `${'é'.repeat(100)}/`.repeat(9), message: 'x'.repeat(500) }
    const many = (each: RepositoryFinding): RepositoryFinding[] => Array.from({ length: 12_000 }, () => each)
    const log = toSarif(report(many(long)), '1')
    expect(JSON.stringify(log).length).toBeLessThan(5_000_000)
    expect(log.runs[0]?.results.length).toBeGreaterThan(300)
    expect(toSarif(report(many(finding)), '1').runs[0]?.results).toHaveLength(5000)
  })
})
