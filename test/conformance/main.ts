import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFolder } from '#scripts/setup/paths.mjs'
import { conformanceExtension } from './extension.ts'
import { startConformanceServer } from './server.ts'
import { requiredScenarios, revisions, runRequirements, type ScenarioResult } from './suite.ts'

// npm run conformance: the protocol's official tests against the functions, and reports/conformance.json.

const server = await startConformanceServer(conformanceExtension)
const report: { runtime: string; revision: string; scenarios: readonly ScenarioResult[] }[] = []
let isConformant = true
try {
  for (const revision of revisions) {
    const scenarios = await runRequirements(server.url, revision)
    const required = requiredScenarios(revision)
    const passed = required.filter((name) => scenarios.find(({ scenario }) => scenario === name)?.failed.length === 0)
    console.log(`${revision}, Node: ${passed.length} of ${required.length} required scenarios pass`)
    for (const { scenario, required: isRequired, passed: checks, failed } of scenarios) {
      const mark = failed.length === 0 ? 'ok' : 'FAILED'
      console.log(`  ${mark.padEnd(6)} ${scenario}: ${checks} checks pass${isRequired ? '' : ' (not required)'}`)
      for (const reason of failed) console.log(`         ${reason}`)
    }
    isConformant &&= passed.length === required.length
    report.push({ runtime: `node ${process.versions.node}`, revision, scenarios })
  }
} finally {
  await server.close()
}
const folder = join(projectFolder, 'reports')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'conformance.json'), `${JSON.stringify(report, null, 2)}\n`)
console.log('Written to reports/conformance.json')
process.exit(isConformant ? 0 : 1)
