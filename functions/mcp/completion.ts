import type { CompleteResult } from '@modelcontextprotocol/server'
import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { NAME_CHARACTERS_MAX, PATH_BYTES_MAX } from '#shared/protocol/limits.ts'
import { CompletePath } from '#shared/protocol/worker-calls.ts'
import { JOB_SARIF_TEMPLATE } from '#shared/resource-uris.ts'
import { listAgents } from '#shared/tools/agents.ts'
import type { ToolDeclaration, ToolOutput } from '#shared/tools/define-tool.ts'
import { listJobs } from '#shared/tools/jobs.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import { askWorker } from '../tools/ask-worker.ts'
import type { CallContext } from '../tools/call-context.ts'
import type { ToolRunner } from './call-tool.ts'
import type { PromptArgument } from './prompts/prompt.ts'
import { prompts } from './prompts.ts'
import { AGENT_FILE_TEMPLATE, AGENT_TEMPLATE, FILE_TEMPLATE, JOB_REPORT_TEMPLATE } from './resource-uri.ts'

/** The protocol's own limit. */
const VALUES_MAX = 100
/** A person is typing and does not wait longer. */
const TIMEOUT_MS = 5000

const CompleteParams = v.object({
  ref: v.variant('type', [
    v.object({ type: v.literal('ref/prompt'), name: v.string() }),
    v.object({ type: v.literal('ref/resource'), uri: v.string() }),
  ]),
  argument: v.object({ name: v.string(), value: v.string() }),
})

/** Continues what somebody types in an argument. Rejects with AppError; `invalid_input` for what has no such argument. */
export type Completer = (params: unknown, context: CallContext) => Promise<CompleteResult>

export function createCompleter(ports: EdgePorts, run: ToolRunner): Completer {
  async function agents(value: string, context: CallContext): Promise<Found> {
    if (value.length > NAME_CHARACTERS_MAX) return nothing
    const args = { query: value, limit: VALUES_MAX }
    const page = (await run(listAgents as unknown as ToolDeclaration, args, context)) as ToolOutput<typeof listAgents>
    // Those whose file or name matches come behind those whose id does.
    const ids = page.agents.map(({ agent_id }) => agent_id)
    const begins = (id: string): boolean => id.toLowerCase().startsWith(value.toLowerCase())
    return {
      values: [...ids.filter(begins), ...ids.filter((id) => !begins(id))],
      total: page.total,
      hasMore: page.next_cursor !== null,
    }
  }

  async function paths(value: string, context: CallContext): Promise<Found> {
    if (value.length > PATH_BYTES_MAX) return nothing
    const args = { start: value, limit: VALUES_MAX }
    const found = await askWorker(ports, CompletePath, args, context, { timeoutMs: TIMEOUT_MS })
    return { values: found.paths, hasMore: found.more }
  }

  /** Continues the last of several; the ones before it stay as they were typed. */
  async function lastOfPaths(value: string, context: CallContext): Promise<Found> {
    const from = value.lastIndexOf(',') + 1
    const last = value.slice(from)
    const before = value.slice(0, from) + (/^\s*/.exec(last)?.[0] ?? '')
    const found = await paths(last.trimStart(), context)
    return { ...found, values: found.values.map((path) => before + path) }
  }

  async function jobs(value: string, context: CallContext): Promise<Found> {
    const page = (await run(listJobs as unknown as ToolDeclaration, { limit: VALUES_MAX }, context)) as ToolOutput<
      typeof listJobs
    >
    const ids = page.jobs.map(({ job_id }) => job_id)
    return { values: ids.filter((id) => id.startsWith(value)), hasMore: page.next_cursor !== null }
  }

  function ofArgument({ kind, suggestions }: PromptArgument, value: string, context: CallContext): Promise<Found> {
    if (kind === 'agent') return agents(value, context)
    if (kind === 'path') return paths(value, context)
    if (kind === 'paths') return lastOfPaths(value, context)
    const typed = value.trim().toLowerCase()
    const values = (suggestions ?? []).filter((each) => each.startsWith(typed))
    return Promise.resolve({ values, total: values.length, hasMore: false })
  }

  return async (sent, context) => {
    const params = v.safeParse(CompleteParams, sent)
    if (!params.success) throw notCompletable('a ref and an argument are needed')
    const { ref, argument } = params.output
    if (ref.type === 'ref/prompt') {
      const prompt = prompts.find(({ name }) => name === ref.name)
      const found = prompt?.arguments.find(({ name }) => name === argument.name)
      if (found === undefined) throw notCompletable('there is no such prompt, or it has no such argument')
      return { completion: await ofArgument(found, argument.value, context) }
    }
    const variable = variables.get(`${ref.uri} ${argument.name}`)
    if (variable === undefined) throw notCompletable('there is no such resource template, or it has no such variable')
    return { completion: await { agents, paths, jobs }[variable](argument.value, context) }
  }
}

interface Found {
  values: string[]
  /** Left out where counting them would cost more than it tells. */
  total?: number
  hasMore: boolean
  [key: string]: unknown
}

const nothing: Found = { values: [], total: 0, hasMore: false }

const variables: ReadonlyMap<string, 'agents' | 'paths' | 'jobs'> = new Map([
  [`${AGENT_TEMPLATE} agent_id`, 'agents'],
  [`${AGENT_FILE_TEMPLATE} agent_id`, 'agents'],
  [`${FILE_TEMPLATE} path`, 'paths'],
  [`${JOB_REPORT_TEMPLATE} job_id`, 'jobs'],
  [`${JOB_SARIF_TEMPLATE} job_id`, 'jobs'],
])

const notCompletable = (why: string): AppError =>
  new AppError('invalid_input', `Cannot complete the argument: ${why}`, {
    hint: 'prompts/list and resources/templates/list name what can be completed',
  })
