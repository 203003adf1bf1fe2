import type {
  ListResourcesResult,
  ListResourceTemplatesResult,
  ReadResourceResult,
  Resource,
} from '@modelcontextprotocol/server'
import { AppError } from '#shared/errors.ts'
import { ANSWER_BYTES_MAX, CALL_TIMEOUT_MS, PAGE_MAX } from '#shared/protocol/limits.ts'
import { DescribeRules, ReadReport } from '#shared/protocol/worker-calls.ts'
import { JOB_SARIF_TEMPLATE } from '#shared/resource-uris.ts'
import type { AgentSummary } from '#shared/schemas/agent.ts'
import { getAgentFile } from '#shared/tools/agent-files.ts'
import { getAgentInfo, listAgents } from '#shared/tools/agents.ts'
import { listBugs } from '#shared/tools/bugs.ts'
import { toolToText } from '#shared/tools/catalogue.ts'
import type { ToolDeclaration, ToolOutput } from '#shared/tools/define-tool.ts'
import { readFile } from '#shared/tools/files.ts'
import { getJob } from '#shared/tools/jobs.ts'
import { getServerInfo } from '#shared/tools/system.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import { askWorker } from '../tools/ask-worker.ts'
import type { CallContext } from '../tools/call-context.ts'
import type { ToolRunner } from './call-tool.ts'
import {
  AGENT_FILE_TEMPLATE,
  AGENT_TEMPLATE,
  agentFileUri,
  agentUri,
  BUGS_REPORT_URI,
  FILE_TEMPLATE,
  JOB_REPORT_TEMPLATE,
  parseResourceUri,
  type ResourceAddress,
  RULES_URI,
  SERVER_REPORT_URI,
} from './resource-uri.ts'
import { rulesText } from './rules-text.ts'

/** What can be read beside calling tools. Both reject with AppError, with the codes of the tools that they read by. */
export interface Resources {
  /** A page: what every workspace has, then its agents with their files. One question to the registry, none to a worker. */
  list(cursor: string | undefined, context: CallContext): Promise<ListResourcesResult>
  readonly templates: ListResourceTemplatesResult
  read(uri: string, context: CallContext): Promise<ReadResourceResult>
}

export function createResources(ports: EdgePorts, run: ToolRunner): Resources {
  async function readText(address: ResourceAddress, context: CallContext): Promise<Text> {
    switch (address.kind) {
      case 'rules':
        return markdown(rulesText(await askWorker(ports, DescribeRules, {}, context, { timeoutMs: CALL_TIMEOUT_MS })))
      case 'server_report':
        return answer(getServerInfo, {}, context)
      case 'bugs_report':
        return answer(listBugs, {}, context)
      case 'job_report':
        return answer(getJob, { job_id: address.jobId }, context)
      case 'job_sarif':
        return sarifOf(address.jobId, context)
      case 'agent':
        return answer(getAgentInfo, { agent_id: address.agentId }, context)
      case 'agent_file':
        return wholeFile(getAgentFile, { agent_id: address.agentId }, context)
      case 'file':
        return wholeFile(readFile, { path: address.path }, context)
    }
  }

  /** What a job found, for programs; the job itself is looked up first, so that one of nobody is told as such. */
  async function sarifOf(jobId: string, context: CallContext): Promise<Text> {
    await run(getJob as unknown as ToolDeclaration, { job_id: jobId }, context)
    const { text } = await askWorker(ports, ReadReport, { job_id: jobId }, context, { timeoutMs: CALL_TIMEOUT_MS })
    return { text, mimeType: SARIF_TYPE }
  }

  /** A tool's answer as a model reads it. */
  async function answer<Output>(tool: ReadingTool<Output>, args: object, context: CallContext): Promise<Text> {
    const declaration = tool as unknown as ToolDeclaration
    return markdown(toolToText(declaration, await run(declaration, args, context)))
  }

  async function wholeFile(
    tool: typeof readFile | typeof getAgentFile,
    args: object,
    context: CallContext,
  ): Promise<Text> {
    const file = (await run(tool as unknown as ToolDeclaration, args, context)) as ToolOutput<typeof readFile>
    if (file.next_offset !== null) {
      throw new AppError(
        'too_large',
        `Cannot read "${file.path}" whole: ${file.line_count} lines, limit about ${ANSWER_BYTES_MAX} bytes`,
        { hint: `Use ${tool.name} with offset and limit` },
      )
    }
    return { text: file.content, mimeType: mimeTypeOf(file.path) }
  }

  return {
    async list(cursor, context) {
      const args = { limit: PAGE_MAX, ...(cursor === undefined ? {} : { cursor }) }
      const page = (await run(listAgents as unknown as ToolDeclaration, args, context)) as ToolOutput<typeof listAgents>
      return {
        resources: [...(cursor === undefined ? everywhere : []), ...page.agents.flatMap(ofAgent)],
        ...(page.next_cursor === null ? {} : { nextCursor: page.next_cursor }),
      }
    },

    templates: { resourceTemplates: templates },

    async read(uri, context) {
      const address = parseResourceUri(uri)
      if (address === null) {
        throw new AppError('not_found', 'Cannot read the resource: there is none of this address', {
          hint: 'resources/list and resources/templates/list name those there are',
        })
      }
      return { contents: [{ uri, ...(await readText(address, context)) }] }
    },
  }
}

interface Text {
  readonly text: string
  readonly mimeType: string
}

interface ReadingTool<Output> {
  readonly toText: (result: Output) => string
}

const MARKDOWN = 'text/markdown'
/** As OASIS registered it. */
const SARIF_TYPE = 'application/sarif+json'
const markdown = (text: string): Text => ({ text, mimeType: MARKDOWN })

const everywhere: readonly Resource[] = [
  {
    uri: RULES_URI,
    name: 'rules',
    title: 'Rules',
    description: 'What every written file must satisfy here, who may write it, and which paths are closed',
    mimeType: MARKDOWN,
  },
  {
    uri: SERVER_REPORT_URI,
    name: 'server report',
    title: 'Server state',
    description: 'Worker, models and queue, and why something is not ready',
    mimeType: MARKDOWN,
  },
  {
    uri: BUGS_REPORT_URI,
    name: 'bugs report',
    title: 'Bugs',
    description: 'The bugs in AGENT_bugs.json, newest first',
    mimeType: MARKDOWN,
  },
]

const templates: ListResourceTemplatesResult['resourceTemplates'] = [
  {
    uriTemplate: AGENT_TEMPLATE,
    name: 'agent',
    title: 'Agent',
    description: "An agent's settings, the state of its file, its recent jobs and messages",
    mimeType: MARKDOWN,
  },
  {
    uriTemplate: AGENT_FILE_TEMPLATE,
    name: 'agent file',
    title: "Agent's file",
    description: 'The file that the agent writes',
  },
  { uriTemplate: FILE_TEMPLATE, name: 'file', title: 'File', description: 'A text file of the repository' },
  {
    uriTemplate: JOB_REPORT_TEMPLATE,
    name: 'job report',
    title: 'Job report',
    description: 'How a job stands or ended: diff, checks, cost, or why it was refused',
    mimeType: MARKDOWN,
  },
  {
    uriTemplate: JOB_SARIF_TEMPLATE,
    name: 'job findings',
    title: 'Findings as SARIF',
    description: 'What run_all_validations or check_compliance found, as SARIF 2.1.0',
    mimeType: SARIF_TYPE,
  },
]

const ofAgent = (agent: AgentSummary): Resource[] => [
  {
    uri: agentUri(agent.agent_id),
    name: agent.agent_id,
    title: agent.name,
    description: `Agent for ${agent.managed_file}`,
    mimeType: MARKDOWN,
  },
  {
    uri: agentFileUri(agent.agent_id),
    name: agent.managed_file,
    description: `File of agent ${agent.agent_id}`,
    mimeType: mimeTypeOf(agent.managed_file),
  },
]

/** All that is read here is text; clients tell apart little more. */
function mimeTypeOf(path: string): string {
  if (/\.(?:md|markdown)$/i.test(path)) return MARKDOWN
  return /\.json$/i.test(path) ? 'application/json' : 'text/plain'
}
