import { chromium } from '@playwright/test'
import { watchContext } from '#test/browser/complaints.ts'
import type { Procedure, ProcedureWorld } from '#test/browser/procedures/procedure.ts'
import { procedures } from '#test/browser/procedures/procedures.ts'
import { type Recorder, Skipped, type SuiteRecorder } from '../recorder.ts'
import type { AcceptanceWorld } from '../world.ts'

/** The user's procedures A to D, by what they show. */
export const PROCEDURE_SUITES = {
  authentication: procedures.authentication.name,
  agents: procedures.agents.name,
  files: procedures.files.name,
  git: procedures.git.name,
} as const

const ACTION_MS_MAX = 15_000

/** The procedures in a real browser, one page after the other in one context, as one person would. */
export async function runProcedures(
  recorder: Recorder,
  world: AcceptanceWorld,
  found: { readonly path: string } | { readonly missing: string },
): Promise<void> {
  if ('missing' in found) {
    const reason = `there is no browser: ${found.missing}`
    for (const { name, steps } of Object.values(procedures)) {
      await recorder.suite(name, async (suite) => {
        for (const { title } of steps) await suite.run({ name: title }, () => Promise.reject(new Skipped(reason)))
      })
    }
    return
  }
  // As root Chromium has no sandbox; what it shows here is our own page only.
  const browser = await chromium.launch({ executablePath: found.path, chromiumSandbox: process.getuid?.() !== 0 })
  try {
    for (const procedure of Object.values(procedures)) {
      const context = await browser.newContext({ reducedMotion: 'reduce' })
      context.setDefaultTimeout(ACTION_MS_MAX)
      const complaints = await watchContext(context)
      const page = await context.newPage()
      const shown: ProcedureWorld = {
        page,
        complaints,
        stack: world.stack,
        repository: world.repository,
        privateKey: world.privateKey,
      }
      await recorder.suite(procedure.name, (suite) => runSteps(suite, procedure, shown))
      await context.close()
    }
  } finally {
    await browser.close()
  }
}

/** A step that failed leaves the page somewhere else than the next one begins: the rest is skipped. */
async function runSteps(suite: SuiteRecorder, { steps }: Procedure, world: ProcedureWorld): Promise<void> {
  let failed: string | undefined
  for (const [index, { title, run }] of steps.entries()) {
    const soFar = steps.slice(0, index + 1).map((step) => step.title)
    const passed = await suite.run({ name: title, steps: soFar }, async () => {
      if (failed !== undefined) throw new Skipped(`a step before it failed: ${failed}`)
      await run(world)
      return undefined
    })
    if (!passed) failed ??= title
  }
}
