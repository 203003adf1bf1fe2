import { AppError } from '#shared/errors.ts'
import type { AgentId } from '#shared/ids.ts'
import { CALL_TIMEOUT_MS, PAGE_DEFAULT } from '#shared/protocol/limits.ts'
import { WIRE_VERSION } from '#shared/protocol/subjects.ts'
import { FileState, PrepareAgent } from '#shared/protocol/worker-calls.ts'
import type { Agent } from '#shared/schemas/agent.ts'
import { jobChanged } from '#shared/schemas/event.ts'
import type { EdgePorts } from '../ports/edge-ports.ts'
import { askWorker } from './ask-worker.ts'
import type { EdgeHandlers } from './call-context.ts'
import { declined } from './confirmed-call.ts'

const HISTORY_DEFAULT = 10
/** The state of the file is an extra: the rest of the answer does not wait for a slow worker. */
const FILE_STATE_TIMEOUT_MS = 5000

export function createAgentTools(
  ports: EdgePorts,
): EdgeHandlers<'create_agent' | 'list_agents' | 'get_agent_info' | 'update_agent' | 'delete_agent'> {
  const { registry, workspace, bus } = ports
  const announce = (agent_id: string, change: 'created' | 'updated' | 'deleted') =>
    bus.announce(workspace, { v: WIRE_VERSION, type: 'agent_changed', agent_id, change })

  async function findAgent(agentId: AgentId): Promise<Agent | null> {
    try {
      return await registry.getAgent(workspace, agentId)
    } catch (error) {
      if (error instanceof AppError && error.code === 'not_found') return null
      throw error
    }
  }

  return {
    async create_agent(input, context) {
      const model = input.model ?? null
      const file = await askWorker(ports, PrepareAgent, { managed_file: input.managed_file, model }, context, {
        timeoutMs: CALL_TIMEOUT_MS,
      })
      const agent = await registry.createAgent(workspace, {
        agent_id: input.agent_id,
        name: input.name,
        managed_file: file.path,
        file_key: file.file_key,
        system_prompt: input.system_prompt,
        model,
        description: input.description ?? null,
      })
      announce(agent.agent_id, 'created')
      return { agent }
    },

    async list_agents(input) {
      const page = await registry.listAgents(workspace, {
        query: input.query ?? null,
        cursor: input.cursor ?? null,
        limit: input.limit ?? PAGE_DEFAULT,
      })
      return { agents: [...page.items], next_cursor: page.next_cursor, total: page.total }
    },

    async get_agent_info(input, context) {
      const agent = await registry.getAgent(workspace, input.agent_id)
      const limit = input.history_limit ?? HISTORY_DEFAULT
      const history =
        limit === 0
          ? { jobs: [], messages: [] }
          : {
              jobs: [
                ...(await registry.listJobs(workspace, { state: null, agent: agent.agent_id, cursor: null, limit }))
                  .items,
              ],
              messages: [...(await registry.listMessages(workspace, agent.agent_id, limit))],
            }
      const usage_total = await registry.getUsage(workspace, agent.agent_id)
      try {
        const file = await askWorker(ports, FileState, { path: agent.managed_file }, context, {
          timeoutMs: FILE_STATE_TIMEOUT_MS,
        })
        return { agent, file: { ...file }, file_error: null, usage_total, ...history }
      } catch (error) {
        if (!(error instanceof AppError) || error.code === 'cancelled' || error.code === 'internal') throw error
        return { agent, file: null, file_error: { code: error.code, message: error.message }, usage_total, ...history }
      }
    },

    async update_agent(input, context) {
      const { agent_id, name, system_prompt, model, managed_file } = input
      if (name === undefined && system_prompt === undefined && model === undefined && managed_file === undefined) {
        throw new AppError('invalid_input', `Cannot update agent "${agent_id}": no field to change was given`, {
          hint: 'Give name, system_prompt, managed_file or model',
        })
      }
      const before = await registry.getAgent(workspace, agent_id)
      // The worker knows which models it has and which file a path names; a new name or prompt needs neither.
      const file =
        managed_file === undefined && model === undefined
          ? undefined
          : await askWorker(
              ports,
              PrepareAgent,
              { managed_file: managed_file ?? before.managed_file, model: model ?? before.model },
              context,
              { timeoutMs: CALL_TIMEOUT_MS },
            )
      const agent = await registry.updateAgent(workspace, agent_id, {
        ...(name === undefined ? {} : { name }),
        ...(system_prompt === undefined ? {} : { system_prompt }),
        ...(model === undefined ? {} : { model }),
        ...(managed_file === undefined || file === undefined
          ? {}
          : { file: { managed_file: file.path, file_key: file.file_key } }),
      })
      announce(agent.agent_id, 'updated')
      return { agent }
    },

    async delete_agent({ agent_id }, { ask }) {
      // The file stays and the agent is made again in one call: so a person is asked who can be, and nobody else is kept waiting.
      const agent = ask === undefined ? null : await findAgent(agent_id)
      if (ask !== undefined && agent !== null) {
        const message = `Delete agent "${agent_id}" and cancel its jobs? Its file ${agent.managed_file} stays.`
        if (!(await ask({ key: 'delete_agent', message }))) throw declined(`Cannot delete agent "${agent_id}"`)
      }
      const { managed_file, cancelled, running } = await registry.deleteAgent(workspace, agent_id)
      for (const job of running) bus.requestCancel(workspace, job)
      for (const job of cancelled) bus.announce(workspace, jobChanged(job, 'cancelled', agent_id))
      announce(agent_id, 'deleted')
      return { deleted: true, agent_id, managed_file: managed_file ?? '' }
    },
  }
}
