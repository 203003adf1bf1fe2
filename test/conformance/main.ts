import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectFolder } from '#scripts/setup/paths.mjs'
import { buildConformanceBundle } from './bundle.ts'
import { startConformanceServer } from './server.ts'
import {
  isTaskScenario,
  type Revision,
  requiredScenarios,
  revisions,
  runRequirements,
  type ScenarioResult,
} from './suite.ts'

// npm run conformance: the protocol's official tests against the functions, in both runtimes, and reports/conformance.json.

interface Count {
  readonly passed: number
  readonly of: number
}

/** How one revision went in one runtime. */
interface RevisionReport {
  readonly runtime: 'node' | 'workerd'
  readonly revision: Revision
  readonly required: Count
  /** Of the extension for long work, where the suite has scenarios of it. */
  readonly tasks: Count
  readonly scenarios: readonly ScenarioResult[]
}

const built = mkdtempSync(join(tmpdir(), 'millwright-conformance-bundle-'))
const report: RevisionReport[] = []
try {
  await buildConformanceBundle(built)
  for (const [runtime, bundle] of [
    ['node', null],
    ['workerd', built],
  ] as const) {
    const server = await startConformanceServer(bundle)
    try {
      for (const revision of revisions) {
        const scenarios = await runRequirements(server.url, revision)
        report.push(toReport(runtime, revision, scenarios))
      }
    } finally {
      await server.close()
    }
  }
} finally {
  rmSync(built, { recursive: true, force: true })
}
for (const each of report) print(each)

const folder = join(projectFolder, 'reports')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'conformance.json'), `${JSON.stringify(report, null, 2)}\n`)
console.log('Written to reports/conformance.json')
const isConformant = report.every(({ required, tasks }) => [required, tasks].every(({ passed, of }) => passed === of))
process.exit(isConformant ? 0 : 1)

function toReport(
  runtime: RevisionReport['runtime'],
  revision: Revision,
  scenarios: readonly ScenarioResult[],
): RevisionReport {
  const required = requiredScenarios(revision)
  // One that the suite skipped by itself has failed nothing; one that is required must have been shown.
  const passed = scenarios.filter((each) => each.required && each.failed.length === 0 && each.passed > 0)
  const tasks = scenarios.filter(isTaskScenario)
  const tasksPassed = tasks.filter(({ failed }) => failed.length === 0)
  return {
    runtime,
    revision,
    required: { passed: passed.length, of: required.length },
    tasks: { passed: tasksPassed.length, of: tasks.length },
    scenarios,
  }
}

function print({ runtime, revision, required, tasks, scenarios }: RevisionReport): void {
  const extension = tasks.of === 0 ? '' : `, and ${tasks.passed} of ${tasks.of} of the tasks extension`
  console.log(`${revision} in ${runtime}: ${required.passed} of ${required.of} required scenarios pass${extension}`)
  for (const { scenario, required: isRequired, passed: checks, failed } of scenarios) {
    const mark = failed.length === 0 ? 'ok' : 'FAILED'
    console.log(`  ${mark.padEnd(6)} ${scenario}: ${checks} checks pass${isRequired ? '' : ' (not required)'}`)
    for (const reason of failed) console.log(`         ${reason}`)
  }
}
