import type * as v from 'valibot'
import { ChatJobArgs } from '#shared/protocol/chat-job.ts'
import {
  CompletePath,
  DescribeRules,
  FileState,
  GetWorkerInfo,
  PrepareAgent,
  ReadReport,
} from '#shared/protocol/worker-calls.ts'
import type { WorkerInfo } from '#shared/schemas/worker.ts'
import { findJobTool, findTool } from '#shared/tools/catalogue.ts'
import type { ServedCall, ServedJob } from '../daemon.ts'
import { createSettingsSource } from '../gates/settings-source.ts'
import type { ModelSet } from '../inference/model-set.ts'
import { createAgentFileTools } from './agent-files.ts'
import { fileState, prepareAgent } from './agents.ts'
import { createBugTools } from './bugs.ts'
import { type ChatPorts, runChatJob } from './chat.ts'
import { completePath } from './complete-path.ts'
import { createFileTools, type FileToolPorts } from './files.ts'
import { createGitTools } from './git.ts'
import type { JobHandlers, JobToolName, ToolContext, ToolHandlers, WorkerToolName } from './handler.ts'
import { createHookTools, type HookToolPorts } from './hooks.ts'
import { createImprovementTools } from './improvement.ts'
import { createOrchestrateTool, type OrchestrateToolPorts } from './orchestrate.ts'
import { createQualityTools, type QualityToolPorts } from './quality.ts'
import { describeRules } from './rules.ts'
import { createTestTools, type TestToolPorts } from './run-tests.ts'
import { createTemplateJobs, createTemplateTools, type TemplateToolPorts } from './templates.ts'
import { createValidationTools, readReport, type ValidationToolPorts } from './validation.ts'

/** Everything that arrives as a short call: the catalogue's worker tools, and the questions of the edge. */
export function createServedCalls(
  ports: FileToolPorts & QualityToolPorts & TemplateToolPorts & Pick<ValidationToolPorts, 'reports'>,
  models: ModelSet,
  workerInfo: () => Promise<WorkerInfo>,
): ReadonlyMap<string, ServedCall> {
  // Complete by type: a worker tool in the catalogue without a handler does not compile.
  const handlers: ToolHandlers<WorkerToolName> = {
    ...createFileTools(ports),
    ...createAgentFileTools(ports),
    ...createGitTools(ports),
    ...createBugTools(ports),
    ...createQualityTools(ports),
    ...createTemplateTools(ports),
  }
  const served = new Map<string, ServedCall>()
  for (const [name, handle] of Object.entries(handlers)) {
    const tool = findTool(name)
    if (tool === undefined || tool.family === 'jobs') throw new Error(`No worker tool "${name}" in the catalogue`)
    // The daemon parses with this very schema before it calls the handler, which is what makes the types agree.
    served.set(name, { family: tool.family, input: tool.input, handle: handle as ServedCall['handle'] })
  }
  const question = <I extends v.GenericSchema>(
    call: { name: string; family: 'agents' | 'system'; input: I },
    handle: (input: v.InferOutput<I>, context: ToolContext) => Promise<Record<string, unknown>>,
  ): void => {
    served.set(call.name, { family: call.family, input: call.input, handle: handle as ServedCall['handle'] })
  }
  question(PrepareAgent, (input) => prepareAgent(ports.files, models, input))
  question(FileState, (input) => fileState(ports.files, input))
  question(GetWorkerInfo, () => workerInfo())
  const settings = createSettingsSource(ports.files)
  question(DescribeRules, () => describeRules(ports.files, settings))
  question(ReadReport, (input) => readReport(ports.reports, input))
  question(CompletePath, (input, context) => completePath(ports, input, context.signal))
  return served
}

/** Everything that arrives through the work queue. */
export function createServedJobs(
  ports: ChatPorts & HookToolPorts & TestToolPorts & ValidationToolPorts & TemplateToolPorts & OrchestrateToolPorts,
): ReadonlyMap<string, ServedJob> {
  // Complete by type: a job tool in the catalogue without a handler does not compile.
  const handlers: JobHandlers<JobToolName> = {
    ...createHookTools(ports),
    ...createTestTools(ports),
    ...createValidationTools(ports),
    ...createTemplateJobs(ports),
    ...createImprovementTools(ports),
    ...createOrchestrateTool(ports),
  }
  const served = new Map<string, ServedJob>([
    [
      'chat_with_agent',
      {
        input: ChatJobArgs,
        run: (input, context) => runChatJob(ports, input as v.InferOutput<typeof ChatJobArgs>, context),
      },
    ],
  ])
  for (const [name, run] of Object.entries(handlers)) {
    const tool = findJobTool(name)
    if (tool === undefined) throw new Error(`No job tool "${name}" in the catalogue`)
    // The daemon parses with this very schema before it calls the handler, which is what makes the types agree.
    served.set(name, { input: tool.input, run: run as ServedJob['run'], resumes: tool.resumes === true })
  }
  return served
}
