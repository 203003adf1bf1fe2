import { agentUpdateFile, getAgentFile } from './agent-files.ts'
import { chatWithAgent, createAgent, deleteAgent, getAgentInfo, listAgents, updateAgent } from './agents.ts'
import { listBugs, reportBug } from './bugs.ts'
import { validateFileLength } from './checks.ts'
import type { ToolDeclaration } from './define-tool.ts'
import { deleteFile, listFiles, readFile, searchFiles, updateFile, validateFile, writeFile } from './files.ts'
import { gitCommit, gitDiff, gitLog, gitStatus } from './git.ts'
import { analyzeCodeQuality } from './improvement.ts'
import { cancelJob, getJob, listJobs } from './jobs.ts'
import { getServerInfo } from './system.ts'

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
  analyzeCodeQuality,
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
