import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { listenForInterrupts } from '../interrupts.ts'
import { projectFolder } from '../setup/paths.mjs'
import type { Figure } from './figure.ts'
import { measureAgentTurns } from './figures/agent-turns.ts'
import { measureAnalysis } from './figures/analysis.ts'
import { measureCommands } from './figures/commands.ts'
import { measureEdits } from './figures/edits.ts'
import { measureGrammar } from './figures/grammar.ts'
import { measureInference } from './figures/inference.ts'
import { measureLevers } from './figures/levers.ts'
import { measureListAgents } from './figures/list-agents.ts'
import { measureMemory } from './figures/memory.ts'
import { measurePage } from './figures/page.ts'
import { measurePeer } from './figures/peer.ts'
import { measureReadFile } from './figures/read-file.ts'
import { measureStart } from './figures/start.ts'
import { measureTools } from './figures/tools.ts'
import { measureValidation } from './figures/validation.ts'
import { measureWholeStack } from './figures/whole-stack.ts'
import { measureWorkerd } from './figures/workerd.ts'
import { type BenchOptions, benchUsage, parseBenchOptions } from './options.ts'
import type { Row } from './row.ts'
import { formatTable } from './table.ts'

// npm run bench: measures the running system, prints a table, and writes reports/bench.json.

const figures = {
  'read-file': measureReadFile,
  workerd: measureWorkerd,
  'list-agents': measureListAgents,
  'whole-stack': measureWholeStack,
  peer: measurePeer,
  inference: measureInference,
  turns: measureAgentTurns,
  grammar: measureGrammar,
  edits: measureEdits,
  levers: measureLevers,
  memory: measureMemory,
  start: measureStart,
  tools: measureTools,
  commands: measureCommands,
  analysis: measureAnalysis,
  validation: measureValidation,
  page: measurePage,
} satisfies Record<string, Figure>
type FigureName = keyof typeof figures
const figureNames = Object.keys(figures) as FigureName[]

const log = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

process.exitCode = await main()

/** 0 when everything was measured, whatever the figures are: a busy machine misses targets that the code meets. */
async function main(): Promise<number> {
  let options: BenchOptions<FigureName>
  try {
    options = parseBenchOptions(process.argv.slice(2), figureNames)
  } catch (error) {
    log(`${error instanceof Error ? error.message : String(error)}\n\n${benchUsage(figureNames)}`)
    return 2
  }
  if (options.help) {
    console.log(benchUsage(figureNames))
    return 0
  }
  const signal = listenForInterrupts(log)
  const rows: Row[] = []
  try {
    for (const name of options.only) {
      const begun = performance.now()
      log(`${name} ...`)
      rows.push(...(await figures[name]({ quick: options.quick, signal, log })))
      log(`${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s`)
    }
  } catch (error) {
    log(signal.aborted ? 'Stopped' : String(error instanceof Error ? error.stack : error))
    return 1
  }
  console.log(formatTable(rows))
  const file = join(projectFolder, 'reports', 'bench.json')
  mkdirSync(join(projectFolder, 'reports'), { recursive: true })
  const report = { quick: options.quick, node: process.version, cores: availableParallelism(), rows }
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
  log('Written to reports/bench.json')
  return 0
}
