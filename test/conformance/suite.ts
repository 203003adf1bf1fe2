import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { parse } from 'yaml'
import { projectFolder } from '#scripts/setup/paths.mjs'

// The protocol's own test suite, run as the program that it is.

export const revisions = ['2026-07-28', '2025-11-25'] as const
export type Revision = (typeof revisions)[number]

const packageFolder = join(projectFolder, 'node_modules', '@modelcontextprotocol', 'conformance')

const Check = v.object({
  id: v.string(),
  status: v.picklist(['SUCCESS', 'FAILURE', 'WARNING', 'SKIPPED', 'INFO']),
  errorMessage: v.optional(v.nullable(v.string())),
})

/** How one scenario went. */
export interface ScenarioResult {
  readonly scenario: string
  /** Part of what the revision requires; else it was run for information. */
  readonly required: boolean
  readonly passed: number
  /** Warnings as well: what a server should do, we do. */
  readonly failed: readonly string[]
}

/** Of an extension, so that no revision requires it. Of us it is required. */
export const isTaskScenario = ({ scenario }: ScenarioResult): boolean => scenario.startsWith('tasks-')

/** The scenarios that a revision requires of a server, as the suite has frozen them. */
export function requiredScenarios(revision: Revision): readonly string[] {
  const text = readFileSync(join(packageFolder, 'requirements', `${revision}.yaml`), 'utf8')
  return v.parse(v.object({ server: v.array(v.string()) }), parse(text)).server
}

/** Runs all that the suite has for a revision against a server. */
export async function runRequirements(url: string, revision: Revision): Promise<readonly ScenarioResult[]> {
  const required = new Set(requiredScenarios(revision))
  const results = await runSuite(url, ['--requirements', revision])
  return [...results].map(([scenario, checks]) => toResult(scenario, checks, required.has(scenario)))
}

/** Runs one scenario, at a revision's wire. */
export async function runScenario(url: string, revision: Revision, scenario: string): Promise<ScenarioResult> {
  const results = await runSuite(url, ['--scenario', scenario, '--spec-version', revision])
  return toResult(scenario, results.get(scenario) ?? [], true)
}

type Checks = readonly v.InferOutput<typeof Check>[]

function toResult(scenario: string, checks: Checks, required: boolean): ScenarioResult {
  const failed = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
  return {
    scenario,
    required,
    passed: checks.filter(({ status }) => status === 'SUCCESS').length,
    failed: failed.map(({ id, errorMessage }) => `${id}: ${errorMessage ?? 'no reason given'}`),
  }
}

/** The checks of each scenario that ran. The suite exits with an error where one failed, which its files say better. */
async function runSuite(url: string, options: readonly string[]): Promise<ReadonlyMap<string, Checks>> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-conformance-results-'))
  const program = join(packageFolder, 'dist', 'index.js')
  try {
    const run = promisify(execFile)(process.execPath, [program, 'server', '--url', url, ...options, '-o', folder], {
      timeout: 10 * 60_000,
      maxBuffer: 64 * 1024 * 1024,
    })
    const outcome = await run.then(
      ({ stdout }) => stdout,
      (error: unknown) => String(error),
    )
    const results = new Map<string, Checks>()
    for (const name of readdirSync(folder)) {
      const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name)?.[1]
      if (scenario === undefined) continue
      results.set(
        scenario,
        v.parse(v.array(Check), JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8'))),
      )
    }
    if (results.size === 0) throw new Error(`The protocol's test suite did not run: ${outcome.slice(-2000)}`)
    return results
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
