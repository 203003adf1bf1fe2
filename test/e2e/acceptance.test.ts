import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { ReportForm } from '#scripts/acceptance/report-form.ts'
import { projectFolder } from '#scripts/setup/paths.mjs'
import { catalogue } from '#shared/tools/catalogue.ts'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'

// The whole of npm run acceptance with the smallest set: three agents and no browser, so that its criteria cannot hold.

const RUN_MS_MAX = 240_000
const bubblewrap = await findBubblewrapForTests()

let folder: string
let run: { status: number; stdout: string }
let report: ReportForm['test_report']
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-acceptance-test-'))
  const main = join(projectFolder, 'scripts', 'acceptance', 'main.ts')
  const env = { ...process.env, ...('binary' in bubblewrap ? { MILLWRIGHT_BWRAP: bubblewrap.binary } : {}) }
  run = await new Promise((resolve) => {
    const args = [main, '--agents', '3', '--no-browser', '--out', join(folder, 'out')]
    execFile(process.execPath, args, { env, timeout: RUN_MS_MAX }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout: `${stdout}${stderr}` }),
    )
  })
  const file = join(folder, 'out', 'test_report.yaml')
  report = v.parse(ReportForm, existsSync(file) ? parse(readFileSync(file, 'utf8')) : run.stdout).test_report
}, RUN_MS_MAX)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const suite = (name: string) => report.test_suites.find(({ suite_name }) => suite_name === name)

describe('npm run acceptance', () => {
  it('runs the suites and each tool, and finds nothing wrong', () => {
    expect(report.issues_found, run.stdout).toEqual([])
    for (const name of ['Core MCP Protocol', 'Agent Collaboration', 'Schema Validation', 'Error Handling']) {
      expect(suite(name)?.status, name).toBe('PASS')
    }
    const tools = suite('Tool Coverage')?.test_cases ?? []
    expect(tools.map(({ name }) => name).toSorted()).toEqual(catalogue.map(({ name }) => name).toSorted())
    const skipped = tools.filter(({ status }) => status === 'SKIPPED')
    if ('binary' in bubblewrap) expect(skipped).toEqual([])
    for (const { notes } of skipped) expect(notes).toContain('this machine cannot run it')
    expect(report.coverage.tools_tested).toBe(catalogue.length - skipped.length)
  })

  it('measures', () => {
    const { performance_metrics: measured, metadata } = report
    expect(measured.average_response_time_ms).toBeGreaterThan(0)
    expect(measured.slowest_time_ms).toBeGreaterThan(measured.average_response_time_ms)
    if (process.platform === 'linux') expect(measured.memory_usage_mb).toBeGreaterThan(100)
    expect(metadata.environment.model).toMatch(/^demo \(Ready, .*scripted/)
  })

  it('does not hold where something was left out, and says what', () => {
    expect(suite('Authentication Flow')).toMatchObject({ status: 'SKIPPED', tests_run: 0 })
    expect(suite('Git Integration')?.test_cases[0]).toMatchObject({
      status: 'SKIPPED',
      notes: expect.stringContaining('--no-browser'),
    })
    expect(run.status).toBe(1)
    expect(report.summary).toMatchObject({ overall_status: 'FAIL', ready_for_production: false, blocking_issues: 0 })
    const missed = report.summary.key_findings.filter((line) => line.includes('does not hold'))
    expect(missed.map((line) => line.split(':', 1)[0])).toEqual(['Git integration', 'Web interface', 'Agents'])
  })
})
