import assert from 'node:assert/strict'
import type { ToolName } from '#shared/tools/catalogue.ts'
import { Refusal } from '../measured-client.ts'
import { type Recorder, Skipped } from '../recorder.ts'
import type { RunModel } from '../run-model.ts'
import type { AcceptanceWorld } from '../world.ts'
import { type ToolCoverage, toolCoverage } from './tool-coverage.ts'

export const COVERAGE_SUITES = ['Tool Coverage', 'Error Handling'] as const

/** Each tool once with success, in the order in which the later ones build on the earlier, and each once refused. */
export async function runCoverage(recorder: Recorder, world: AcceptanceWorld, model: RunModel): Promise<void> {
  const tools = Object.entries(toolCoverage) as [ToolName, ToolCoverage][]
  const [works, refuses] = COVERAGE_SUITES
  await recorder.suite(works, async ({ run }) => {
    for (const [tool, { succeed, needsSandbox = false, needsModel = false }] of tools) {
      await run({ name: tool }, async () => {
        if (needsModel && model.unavailable !== null) throw new Skipped(model.unavailable)
        try {
          return await succeed(world.measured, world)
        } catch (error) {
          const isLeftOut = needsSandbox && error instanceof Refusal && error.code === 'unavailable'
          throw isLeftOut ? new Skipped(`this machine cannot run it: ${error.message}`) : error
        }
      })
    }
  })
  await recorder.suite(refuses, async ({ run }) => {
    for (const [tool, { refuse }] of tools) {
      const { args, code, because } = refuse
      await run(
        { name: `${tool}: ${because}`, severity: 'MEDIUM', steps: [`${tool} ${JSON.stringify(args)}`] },
        async () => {
          const { success, error } = await world.measured.call(tool, args)
          assert.equal(success ? 'success' : (error?.code ?? 'no code'), code)
          assert.ok((error?.hint ?? '') !== '', 'The refusal does not say what to do next')
          return `${error?.code}: ${error?.message}`
        },
      )
    }
  })
}
