import { type ComposedReport, composeReport } from './compose-report.ts'
import { watchMemory } from './memory-watch.ts'
import { createRecorder } from './recorder.ts'
import { probeModel, readServerInfo } from './run-model.ts'
import { runCollaboration } from './suites/collaboration.ts'
import { runCoreProtocol } from './suites/core-protocol.ts'
import { COVERAGE_SUITES, runCoverage } from './suites/coverage.ts'
import { runManyAgents } from './suites/many-agents.ts'
import { PROCEDURE_SUITES, runProcedures } from './suites/procedures.ts'
import { runSchemaValidation } from './suites/schema-validation.ts'
import { startAcceptanceWorld } from './world.ts'

export interface AcceptanceRun {
  /** As `--model` says it. */
  readonly model: string
  readonly modelsFolder?: string
  readonly threads: number
  readonly agents: number
  /** A browser by its path, or why the page is not tried. */
  readonly browser: { readonly path: string } | { readonly missing: string }
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** Which suites show that what the criteria ask for works. */
const functions = new Map<string, readonly string[]>([
  ['Core MCP tools', ['Core MCP Protocol', COVERAGE_SUITES[0]]],
  ['Agent lifecycle', ['Core MCP Protocol', PROCEDURE_SUITES.agents, 'Many Agents']],
  ['File operations', [PROCEDURE_SUITES.files, 'Core MCP Protocol']],
  ['Git integration', [PROCEDURE_SUITES.git]],
  ['Web interface', Object.values(PROCEDURE_SUITES)],
  ['Schema validations', ['Schema Validation']],
  ['Error handling', [COVERAGE_SUITES[1]]],
])

/** Starts the system, does all of it, and stops it. Rejects only where there is nothing to report on. */
export async function runAcceptance(run: AcceptanceRun): Promise<ComposedReport> {
  const startedAt = new Date()
  const { model: reference, threads, modelsFolder } = run
  const world = await startAcceptanceWorld({
    model: reference,
    threads,
    ...(modelsFolder === undefined ? {} : { modelsFolder }),
  })
  const memory = watchMemory(() => Object.values(world.stack.pids()))
  try {
    const recorder = createRecorder(run.say)
    const model = await probeModel(world.measured, run.signal)
    run.say(`Model ${model.name}: ${model.unable ?? 'able to write a small file'}`)
    await recorder.suite('Core MCP Protocol', (suite) => runCoreProtocol(suite, world))
    await recorder.suite('Agent Collaboration', (suite) => runCollaboration(suite, world, model))
    await recorder.suite('Schema Validation', (suite) => runSchemaValidation(suite, world))
    await runCoverage(recorder, world, model)
    await runProcedures(recorder, world, run.browser)
    let agents = 0
    await recorder.suite('Many Agents', async (suite) => {
      agents = await runManyAgents(suite, world, run.agents)
    })
    const toolNames = await world.measured.listToolNames()
    const { version, workers } = await readServerInfo(world.measured)
    const gpu = workers[0]?.gpu ?? null
    return composeReport({
      startedAt,
      serverVersion: version,
      model: `${model.name} (${model.detail}); improvements by a scripted model`,
      cudaEnabled: gpu !== null,
      suites: recorder.suites,
      calls: world.measured.calls,
      toolNames,
      agents,
      memoryMiB: memory.stop(),
      gpuMemoryMiB: gpu === null ? null : gpu.memory_used_bytes / 1024 / 1024,
      functions,
    })
  } finally {
    memory.stop()
    await world.stop()
  }
}
