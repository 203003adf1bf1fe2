import { join } from 'node:path'
import { parseXml, XmlElement } from '@rgrove/parse-xml'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { projectFolder } from '../setup/paths.mjs'
import { composeReport, type Run } from './compose-report.ts'
import type { CaseRecord } from './recorder.ts'
import { ReportForm } from './report-form.ts'
import { toHtml } from './writers/html.ts'
import { toJunit } from './writers/junit.ts'
import { toYaml } from './writers/yaml.ts'

const toCase = (name: string, more: Partial<CaseRecord> = {}): CaseRecord => ({
  name,
  status: 'PASS',
  durationMs: 12,
  severity: 'HIGH',
  steps: [name],
  notes: undefined,
  error: undefined,
  expected: undefined,
  actual: undefined,
  ...more,
})
const call = (tool: string, durationMs: number, success = true, isLoad = false) => ({
  tool,
  durationMs,
  success,
  code: success ? null : 'not_found',
  isLoad,
})

const run: Run = {
  startedAt: new Date('2026-02-03T04:05:06Z'),
  serverVersion: '1.2.3',
  model: 'demo',
  cudaEnabled: false,
  suites: [
    {
      name: 'Files',
      cases: [
        toCase('Read', { notes: 'yes: "no"' }),
        toCase('<Write> & \u0007', {
          status: 'FAIL',
          error: 'Not <b>it</b>',
          expected: '1',
          actual: '"2"',
          steps: ['one', 'two'],
        }),
        toCase('Chat', { status: 'SKIPPED', durationMs: 0, notes: 'the model is not able' }),
      ],
    },
    { name: 'Git', cases: [toCase('Log')] },
    { name: 'Page', cases: [toCase('Open', { status: 'SKIPPED', notes: 'no browser' })] },
  ],
  calls: [
    call('read_file', 10.4),
    call('read_file', 20, false),
    call('write_file', 60.2),
    call('get_server_info', 500, true, true),
  ],
  toolNames: ['read_file', 'write_file'],
  agents: 107,
  memoryMiB: 512.6,
  gpuMemoryMiB: null,
  functions: new Map([
    ['File operations', ['Files']],
    ['Git', ['Git']],
  ]),
}

describe('the report', () => {
  const { form, criteria, accepted } = composeReport(run)

  it('is in the form of the user, and as it was', async () => {
    expect(v.parse(ReportForm, form)).toEqual(form)
    const golden = join(projectFolder, 'test', 'fixtures', 'acceptance', 'test_report.yaml')
    await expect(toYaml(form)).toMatchFileSnapshot(golden)
    expect(parse(toYaml(form))).toEqual(form)
  })

  it('has the keys of the form that the user wrote down, in its order', () => {
    const { test_report } = form
    expect(Object.keys(test_report)).toEqual([
      'metadata',
      'test_suites',
      'issues_found',
      'performance_metrics',
      'coverage',
      'summary',
    ])
    expect(Object.keys(test_report.test_suites[0] ?? {})).toEqual([
      'suite_name',
      'status',
      'tests_run',
      'tests_passed',
      'tests_failed',
      'test_cases',
      'recommendations',
    ])
    expect(Object.keys(test_report.performance_metrics)).toEqual([
      'average_response_time_ms',
      'slowest_operation',
      'slowest_time_ms',
      'memory_usage_mb',
      'gpu_memory_mb',
    ])
    expect(v.safeParse(ReportForm, { test_report: { ...test_report, more: 1 } }).success).toBe(false)
  })

  it('counts what ran, and measures without what was only load', () => {
    const [files, git, page] = form.test_report.test_suites
    expect(files).toMatchObject({ status: 'PARTIAL', tests_run: 2, tests_passed: 1, tests_failed: 1 })
    expect(git).toMatchObject({ status: 'PASS', tests_run: 1 })
    expect(page).toMatchObject({ status: 'SKIPPED', tests_run: 0 })
    expect(form.test_report.performance_metrics).toEqual({
      average_response_time_ms: 30,
      slowest_operation: 'write_file',
      slowest_time_ms: 60,
      memory_usage_mb: 513,
      gpu_memory_mb: null,
    })
  })

  it('calls a tool tested that has worked and has refused', () => {
    expect(form.test_report.coverage).toEqual({
      tools_tested: 1,
      tools_total: 2,
      coverage_percentage: 50,
      untested_tools: ['write_file'],
    })
  })

  it('fails by a blocking issue, and passes with issues where something was skipped', () => {
    expect(accepted).toBe(false)
    expect(form.test_report.summary).toMatchObject({
      overall_status: 'FAIL',
      ready_for_production: false,
      blocking_issues: 1,
      total_issues: 1,
    })
    const well = composeReport({
      ...run,
      suites: run.suites.map(({ name, cases }) => ({ name, cases: cases.filter(({ status }) => status !== 'FAIL') })),
      calls: [...run.calls, call('write_file', 1, false)],
    })
    expect(well.accepted).toBe(true)
    expect(well.form.test_report.summary).toMatchObject({
      overall_status: 'PASS_WITH_ISSUES',
      ready_for_production: false,
      next_steps: expect.arrayContaining([
        expect.stringContaining('Run it where "GPU used for the model" can be judged'),
      ]),
    })
  })

  it('is a page of its own, in which no text is markup', () => {
    const html = toHtml(form, criteria)
    expect(html).toContain('&lt;Write&gt; &amp; \ufffd')
    expect(html).not.toMatch(/<script|<link|<img|src=|<b>/)
    expect(html).toMatch(/default-src &#39;none&#39;; style-src &#39;sha256-[\w+/=]+&#39;/)
  })

  it('is JUnit XML that a parser reads', () => {
    const { root } = parseXml(toJunit(form))
    expect(root?.attributes).toMatchObject({ tests: '5', failures: '1', skipped: '2', time: '0.048' })
    const suites = root?.children.filter((child) => child instanceof XmlElement) ?? []
    expect(suites.map(({ attributes }) => [attributes.name, attributes.tests, attributes.failures])).toEqual([
      ['Files', '3', '1'],
      ['Git', '1', '0'],
      ['Page', '1', '0'],
    ])
    const [, write, chat] = suites[0]?.children.filter((child) => child instanceof XmlElement) ?? []
    expect(write?.text).toBe('Not <b>it</b>\nexpected: 1\nactual: "2"')
    expect(chat?.children[0]).toMatchObject({ name: 'skipped', attributes: { message: 'the model is not able' } })
  })
})
