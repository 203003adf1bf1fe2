import * as v from 'valibot'
import { agentUpdateFile, getAgentFile } from './agent-files.ts'
import { chatWithAgent, createAgent, deleteAgent, getAgentInfo, listAgents, updateAgent } from './agents.ts'
import { listBugs, reportBug } from './bugs.ts'
import { validateFileLength } from './checks.ts'
import type { ToolDeclaration } from './define-tool.ts'
import { deleteFile, listFiles, readFile, searchFiles, updateFile, validateFile, writeFile } from './files.ts'
import { gitCommit, gitDiff, gitLog, gitStatus } from './git.ts'
import { runPreCommit } from './hooks.ts'
import { analyzeCodeQuality } from './improvement.ts'
import { generateDocumentation, generateTests, optimizePerformance, refactorCode } from './improvement-jobs.ts'
import type { JobToolDeclaration } from './job-tool.ts'
import { cancelJob, getJob, listJobs } from './jobs.ts'
import { orchestrateImprovement } from './orchestrate.ts'
import { runTests } from './run-tests.ts'
import { getServerInfo } from './system.ts'
import { generateFromTemplate, listTemplates, templateFromSpec, validateTemplate } from './templates.ts'
import { checkCompliance, runAllValidations } from './validation.ts'

/** Every tool there is, in the order in which clients list them. */
export const catalogue = [
  createAgent,
  listAgents,
  getAgentInfo,
  updateAgent,
  deleteAgent,
  chatWithAgent,
  getAgentFile,
  agentUpdateFile,
  readFile,
  writeFile,
  updateFile,
  deleteFile,
  listFiles,
  searchFiles,
  validateFile,
  gitStatus,
  gitDiff,
  gitCommit,
  gitLog,
  validateFileLength,
  runPreCommit,
  runTests,
  runAllValidations,
  listTemplates,
  generateFromTemplate,
  validateTemplate,
  templateFromSpec,
  analyzeCodeQuality,
  refactorCode,
  generateDocumentation,
  generateTests,
  optimizePerformance,
  checkCompliance,
  orchestrateImprovement,
  listJobs,
  getJob,
  cancelJob,
  getServerInfo,
  reportBug,
  listBugs,
] as const

export type CatalogueTool = (typeof catalogue)[number]
export type ToolName = CatalogueTool['name']
export type ToolByName<Name extends ToolName> = Extract<CatalogueTool, { name: Name }>

const byName = new Map<string, ToolDeclaration>(
  catalogue.map((tool) => [tool.name, tool as unknown as ToolDeclaration]),
)

/** The declaration of a tool, or undefined. */
export const findTool = (name: string): ToolDeclaration | undefined => byName.get(name)

/** The declaration of a tool that runs as a job, or undefined. */
export function findJobTool(name: string): JobToolDeclaration | undefined {
  const tool = byName.get(name)
  return tool !== undefined && isJobTool(tool) ? tool : undefined
}

export const isJobTool = (tool: ToolDeclaration): tool is JobToolDeclaration => 'outcome' in tool

const EndedJob = v.object({ job: v.object({ tool: v.string() }), result: v.record(v.string(), v.unknown()) })

/** A success written for a model to read. What `get_job` shows of an ended job reads as that job's tool writes it. */
export function toolToText(tool: ToolDeclaration, fields: Record<string, unknown>): string {
  const text = tool.toText(fields)
  const ended = tool.name === 'get_job' ? v.safeParse(EndedJob, fields) : null
  if (ended === null || !ended.success) return text
  const jobTool = findJobTool(ended.output.job.tool)
  const outcome = jobTool === undefined ? null : v.safeParse(jobTool.outcome, ended.output.result)
  return jobTool !== undefined && outcome?.success ? `${text}\n${jobTool.outcomeToText(outcome.output)}` : text
}
