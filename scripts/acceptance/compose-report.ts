import { type Criterion, type Evidence, isAccepted, judge, type Outcome } from './judge.ts'
import type { MeasuredCall } from './measured-client.ts'
import type { CaseRecord, SuiteRecord } from './recorder.ts'
import type { Coverage, Issue, ReportForm, TestCase, TestSuite } from './report-form.ts'

/** What one run has seen and measured. */
export interface Run {
  readonly startedAt: Date
  readonly serverVersion: string
  /** What wrote the answers, in words. */
  readonly model: string
  readonly cudaEnabled: boolean
  readonly suites: readonly SuiteRecord[]
  readonly calls: readonly MeasuredCall[]
  readonly toolNames: readonly string[]
  readonly agents: number
  readonly memoryMiB: number | null
  readonly gpuMemoryMiB: number | null
  /** Which suites show that a function of the criteria works, by the function's name. */
  readonly functions: ReadonlyMap<string, readonly string[]>
}

export interface ComposedReport {
  readonly form: ReportForm
  readonly criteria: readonly Criterion[]
  readonly accepted: boolean
}

/** The report of a run, in the user's form, and the verdict. Pure. */
export function composeReport(run: Run): ComposedReport {
  const issues = [...run.suites.flatMap(toIssues)]
  const coverage = toCoverage(run)
  const answered = run.calls.filter(({ isLoad }) => !isLoad)
  const average = answered.length === 0 ? null : sum(answered.map(({ durationMs }) => durationMs)) / answered.length
  const slowest = answered.toSorted((a, b) => b.durationMs - a.durationMs)[0]
  const evidence: Evidence = {
    functions: new Map([...run.functions].map(([name, suites]) => [name, toOutcome(run.suites, suites)])),
    averageResponseMs: average,
    agents: run.agents,
    memoryMiB: run.memoryMiB,
    coveragePercentage: coverage.coverage_percentage,
    issues,
    gpuMemoryMiB: run.gpuMemoryMiB,
  }
  const criteria = judge(evidence)
  const accepted = isAccepted(criteria)
  const skipped = run.suites.flatMap(({ cases }) => cases).filter(({ status }) => status === 'SKIPPED')
  const form: ReportForm = {
    test_report: {
      metadata: {
        tester: 'npm run acceptance',
        test_date: toUtc(run.startedAt),
        environment: { server_version: run.serverVersion, model: run.model, cuda_enabled: run.cudaEnabled },
      },
      test_suites: run.suites.map(toSuite),
      issues_found: issues,
      performance_metrics: {
        average_response_time_ms: Math.round(average ?? 0),
        slowest_operation: slowest?.tool ?? 'none',
        slowest_time_ms: Math.round(slowest?.durationMs ?? 0),
        memory_usage_mb: rounded(run.memoryMiB),
        gpu_memory_mb: rounded(run.gpuMemoryMiB),
      },
      coverage,
      summary: {
        overall_status: !accepted ? 'FAIL' : issues.length > 0 || skipped.length > 0 ? 'PASS_WITH_ISSUES' : 'PASS',
        // What nothing was seen of is not known to be ready.
        ready_for_production: skipped.length === 0 && criteria.every(({ holds }) => holds === true),
        blocking_issues: issues.filter(({ severity }) => severity === 'HIGH').length,
        total_issues: issues.length,
        key_findings: criteria.map(toFinding),
        next_steps: toNextSteps(criteria, issues, skipped),
      },
    },
  }
  return { form, criteria, accepted }
}

function toSuite({ name, cases }: SuiteRecord): TestSuite {
  const { passed, failed, skipped } = countCases(cases)
  return {
    suite_name: name,
    status: toStatus(passed, failed, skipped),
    tests_run: passed + failed,
    tests_passed: passed,
    tests_failed: failed,
    test_cases: cases.map(toCase),
    recommendations: [
      ...cases.filter(({ status }) => status === 'FAIL').map(suggestFix),
      ...[...new Set(cases.filter(({ status }) => status === 'SKIPPED').map(({ notes }) => notes))].map(
        (reason) => `Run what was skipped where it can run: ${reason}`,
      ),
    ],
  }
}

function toStatus(passed: number, failed: number, skipped: number): TestSuite['status'] {
  if (passed + failed === 0) return 'SKIPPED'
  if (passed === 0) return 'FAIL'
  return failed + skipped === 0 ? 'PASS' : 'PARTIAL'
}

function toCase({ name, status, durationMs, notes, error, expected, actual }: CaseRecord): TestCase {
  return {
    name,
    status,
    duration_ms: durationMs,
    ...(notes === undefined ? {} : { notes }),
    ...(error === undefined ? {} : { error }),
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
  }
}

function toIssues({ name, cases }: SuiteRecord): Issue[] {
  return cases
    .filter(({ status }) => status === 'FAIL')
    .map((each) => ({
      severity: each.severity,
      category: name,
      description: `${each.name}: ${each.error ?? 'it failed'}`,
      reproduction_steps: [...each.steps],
      suggested_fix: suggestFix(each),
    }))
}

function suggestFix({ name, error, expected, actual }: CaseRecord): string {
  const how = expected === undefined || actual === undefined ? error : `it should answer ${expected}, not ${actual}`
  return `Mend "${name}": ${how ?? 'it failed'}`
}

/** A tool is tested when it has done its work once and refused once. */
function toCoverage({ calls, toolNames }: Run): Coverage {
  const untested = toolNames.filter(
    (name) =>
      !calls.some(({ tool, success }) => tool === name && success) ||
      !calls.some(({ tool, success }) => tool === name && !success),
  )
  const tested = toolNames.length - untested.length
  return {
    tools_tested: tested,
    tools_total: toolNames.length,
    coverage_percentage: toolNames.length === 0 ? 0 : Math.round((tested / toolNames.length) * 1000) / 10,
    untested_tools: untested,
  }
}

function toOutcome(suites: readonly SuiteRecord[], names: readonly string[]): Outcome {
  return countCases(suites.filter(({ name }) => names.includes(name)).flatMap(({ cases }) => cases))
}

function countCases(cases: readonly CaseRecord[]): Outcome {
  const countOf = (status: CaseRecord['status']): number => cases.filter((each) => each.status === status).length
  const blocking = cases.filter(({ status, severity }) => status === 'FAIL' && severity === 'HIGH').length
  return { passed: countOf('PASS'), failed: countOf('FAIL'), blocking, skipped: countOf('SKIPPED') }
}

function toFinding({ name, holds, says }: Criterion): string {
  return `${name}: ${says}${holds === null ? ' (not judged)' : holds ? '' : ' (does not hold)'}`
}

function toNextSteps(
  criteria: readonly Criterion[],
  issues: readonly Issue[],
  skipped: readonly CaseRecord[],
): string[] {
  return [
    ...issues.map(({ suggested_fix }) => suggested_fix),
    ...criteria
      .filter(({ holds }) => holds === false)
      .map(({ name, says }) => `Reach the criterion "${name}" (${says})`),
    ...criteria
      .filter(({ holds }) => holds === null)
      .map(({ name, says }) => `Run it where "${name}" can be judged (${says})`),
    ...(skipped.length === 0 ? [] : [`Run the ${skipped.length} cases that were skipped where they can run`]),
  ]
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value))

/** YYYY-MM-DD HH:MM:SS, in UTC. */
const toUtc = (date: Date): string => date.toISOString().slice(0, 19).replace('T', ' ')
