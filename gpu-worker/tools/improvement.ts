import type { ImprovementAction, ImprovementOutcome } from '#shared/tools/improvement-outcome.ts'
import type { DuplicationIndex } from '../analysis/duplication.ts'
import { createFigureSource } from '../improvement/figures.ts'
import { type Improvement, improveFile } from '../improvement/improve.ts'
import type { CommandRunner } from '../ports/command-runner.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import type { TestSuite } from '../ports/test-suite.ts'
import { requireAgent } from './agent-files.ts'
import type { ChatPorts } from './chat.ts'
import { visible } from './files.ts'
import type { JobContext, JobHandlers } from './handler.ts'
import { createComparedFiles } from './quality.ts'

export interface ImprovementToolPorts extends ChatPorts {
  readonly parser: SourceParser
  readonly duplication: DuplicationIndex
  readonly runner: CommandRunner
  readonly tests: TestSuite
}

/** What the improvement of a file is made with, of the ports that tools have; all but the model. */
export function toImprovementPorts(ports: ImprovementToolPorts) {
  const { files, repository, parser, duplication, settings } = ports
  const compared = createComparedFiles({ files, repository })
  return {
    ...ports,
    suite: ports.tests,
    figures: createFigureSource({ parser, duplication, files: compared }, settings),
    async *listPaths(signal: AbortSignal) {
      for await (const { path, kind } of visible({ files, repository }, '', null, signal))
        if (kind === 'file') yield path
    },
  }
}

export function createImprovementTools(ports: ImprovementToolPorts): JobHandlers<ImprovementAction> {
  const improvementPorts = toImprovementPorts(ports)

  async function improve(
    improvement: Improvement,
    path: string | undefined,
    context: JobContext,
  ): Promise<ImprovementOutcome> {
    const { agent, history, jobId, signal, onProgress } = context
    return improveFile(
      { improvement, path: path ?? requireAgent(context).managed_file, agent, history, jobId, endsJob: true },
      { ...improvementPorts, model: await ports.models.pick(agent?.model ?? null) },
      { signal, onProgress },
    )
  }

  return {
    refactor_code: ({ goal }, context) => improve({ action: 'refactor_code', goal }, undefined, context),
    generate_documentation: ({ path, kind = 'docstrings' }, context) =>
      improve({ action: 'generate_documentation', kind }, path, context),
    generate_tests: ({ path }, context) => improve({ action: 'generate_tests' }, path, context),
    optimize_performance: ({ measure = null }, context) =>
      improve({ action: 'optimize_performance', measure }, undefined, context),
  }
}
