import * as v from 'valibot'

// The form of a test report: its keys, their order and their words are the user's. Nothing else may be in it.

const text = v.pipe(v.string(), v.minLength(1))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const milliseconds = count

const TestCase = v.strictObject({
  name: text,
  status: v.picklist(['PASS', 'FAIL', 'SKIPPED']),
  duration_ms: milliseconds,
  /** What was seen; for a case that was skipped why. */
  notes: v.optional(text),
  error: v.optional(text),
  expected: v.optional(text),
  actual: v.optional(text),
})
export type TestCase = v.InferOutput<typeof TestCase>

const TestSuite = v.strictObject({
  suite_name: text,
  /** PARTIAL: some cases passed, others failed or were skipped. */
  status: v.picklist(['PASS', 'FAIL', 'PARTIAL', 'SKIPPED']),
  /** Those that were skipped are not counted. */
  tests_run: count,
  tests_passed: count,
  tests_failed: count,
  test_cases: v.array(TestCase),
  recommendations: v.array(text),
})
export type TestSuite = v.InferOutput<typeof TestSuite>

const severities = ['HIGH', 'MEDIUM', 'LOW'] as const
export type IssueSeverity = (typeof severities)[number]

const Issue = v.strictObject({
  /** HIGH blocks. */
  severity: v.picklist(severities),
  category: text,
  description: text,
  reproduction_steps: v.pipe(v.array(text), v.minLength(1)),
  suggested_fix: text,
})
export type Issue = v.InferOutput<typeof Issue>

const Coverage = v.strictObject({
  tools_tested: count,
  tools_total: count,
  coverage_percentage: v.number(),
  untested_tools: v.array(text),
})
export type Coverage = v.InferOutput<typeof Coverage>

export const ReportForm = v.strictObject({
  test_report: v.strictObject({
    metadata: v.strictObject({
      tester: text,
      /** In UTC. */
      test_date: v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)),
      environment: v.strictObject({ server_version: text, model: text, cuda_enabled: v.boolean() }),
    }),
    test_suites: v.array(TestSuite),
    issues_found: v.array(Issue),
    performance_metrics: v.strictObject({
      average_response_time_ms: milliseconds,
      slowest_operation: text,
      slowest_time_ms: milliseconds,
      /** Null where the system does not tell. */
      memory_usage_mb: v.nullable(count),
      /** Null without a GPU. */
      gpu_memory_mb: v.nullable(count),
    }),
    coverage: Coverage,
    summary: v.strictObject({
      overall_status: v.picklist(['PASS', 'PASS_WITH_ISSUES', 'FAIL']),
      ready_for_production: v.boolean(),
      blocking_issues: count,
      total_issues: count,
      key_findings: v.array(text),
      next_steps: v.array(text),
    }),
  }),
})
export type ReportForm = v.InferOutput<typeof ReportForm>
