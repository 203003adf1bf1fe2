import type { ReportForm, TestCase, TestSuite } from '../report-form.ts'
import { escapeMarkup } from './escape.ts'

/** The suites as JUnit XML, as CI systems read it. */
export function toJunit({ test_report: { test_suites: suites } }: ReportForm): string {
  const totals = suites.map(countSuite)
  const total = (kind: keyof SuiteCounts): number => totals.reduce((sum, counts) => sum + counts[kind], 0)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="acceptance" tests="${total('tests')}" failures="${total('failures')}" skipped="${total('skipped')}" time="${seconds(total('ms'))}">`,
    ...suites.map(suiteElement),
    '</testsuites>',
    '',
  ].join('\n')
}

interface SuiteCounts {
  readonly tests: number
  readonly failures: number
  readonly skipped: number
  readonly ms: number
}

function countSuite({ test_cases: cases, tests_failed }: TestSuite): SuiteCounts {
  return {
    tests: cases.length,
    failures: tests_failed,
    skipped: cases.filter(({ status }) => status === 'SKIPPED').length,
    ms: cases.reduce((sum, { duration_ms }) => sum + duration_ms, 0),
  }
}

function suiteElement(suite: TestSuite): string {
  const { tests, failures, skipped, ms } = countSuite(suite)
  const name = escapeMarkup(suite.suite_name)
  return [
    `  <testsuite name="${name}" tests="${tests}" failures="${failures}" errors="0" skipped="${skipped}" time="${seconds(ms)}">`,
    ...suite.test_cases.map((each) => caseElement(name, each)),
    '  </testsuite>',
  ].join('\n')
}

function caseElement(suite: string, { name, status, duration_ms, notes, error, expected, actual }: TestCase): string {
  const open = `    <testcase classname="${suite}" name="${escapeMarkup(name)}" time="${seconds(duration_ms)}"`
  if (status === 'SKIPPED') return `${open}><skipped message="${escapeMarkup(notes ?? '')}"/></testcase>`
  if (status === 'FAIL') {
    const details = [error, expected && `expected: ${expected}`, actual && `actual: ${actual}`]
      .filter(Boolean)
      .join('\n')
    return `${open}><failure message="${escapeMarkup(error ?? '')}">${escapeMarkup(details)}</failure></testcase>`
  }
  return notes === undefined ? `${open}/>` : `${open}><system-out>${escapeMarkup(notes)}</system-out></testcase>`
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3)
