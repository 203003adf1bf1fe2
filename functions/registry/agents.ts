import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { AgentId, JobId, type WorkspaceId } from '#shared/ids.ts'
import { AGENTS_MAX } from '#shared/protocol/limits.ts'
import { type Agent, AgentMessage } from '#shared/schemas/agent.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { NewAgent, Registry } from '../ports/registry.ts'
import { type Sql, SqlConstraintError, type SqlRow } from '../ports/sql.ts'
import { fromCursor, toCursor } from './cursor.ts'
import { damaged, parseAgent, parseAgentSummary } from './rows.ts'
import { readUsage } from './usage-total.ts'

type AgentMethods = Pick<
  Registry,
  | 'createAgent'
  | 'getAgent'
  | 'listAgents'
  | 'countAgents'
  | 'updateAgent'
  | 'deleteAgent'
  | 'findOwners'
  | 'listOwners'
  | 'listMessages'
  | 'getUsage'
>

const working = `EXISTS (SELECT 1 FROM jobs
  WHERE jobs.workspace = agents.workspace AND jobs.state = 'running' AND jobs.agent_id = agents.agent_id) AS working`
const summaryColumns = `agent_id, version, name, managed_file, model, description, created_at, updated_at, ${working}`

/** How many file keys one statement asks for: SQLite allows 32,766 values, Durable Objects 100. */
const KEYS_PER_STATEMENT = 90

/** Agents and their conversations. */
export function createAgentStore(sql: Sql, clock: Clock, log: Log): AgentMethods {
  function find(workspace: WorkspaceId, agent: AgentId): SqlRow {
    const [row] = sql.all(
      `SELECT ${summaryColumns}, system_prompt FROM agents WHERE workspace = ? AND id_key = ? AND agent_id = ?`,
      workspace,
      agent.toLowerCase(),
      agent,
    )
    if (row === undefined) throw agentNotFound(agent)
    return row
  }

  function get(workspace: WorkspaceId, agent: AgentId): Agent {
    const parsed = parseAgent(find(workspace, agent))
    if (parsed !== null) return parsed
    const error = damaged('agent', agent)
    log.error('A stored agent cannot be read', error, { workspace, agent_id: agent })
    throw error
  }

  /** Why a row was refused: which of the two unique keys is taken, and by whom. */
  function whyTaken(workspace: WorkspaceId, agent: AgentId, path: string, fileKey: string): AppError {
    const [twin] = sql.all(
      'SELECT agent_id FROM agents WHERE workspace = ? AND id_key = ?',
      workspace,
      agent.toLowerCase(),
    )
    if (twin !== undefined && twin.agent_id !== agent) {
      return new AppError('already_exists', `Cannot create agent "${agent}": "${twin.agent_id}" differs only in case`, {
        hint: 'Choose another agent_id',
      })
    }
    const [owner] = sql.all('SELECT agent_id FROM agents WHERE workspace = ? AND file_key = ?', workspace, fileKey)
    if (owner !== undefined && owner.agent_id !== agent) {
      return new AppError(
        'file_already_managed',
        `Cannot give "${path}" to agent "${agent}": agent "${owner.agent_id}" manages it`,
        { hint: `Ask agent "${owner.agent_id}" for changes of this file, or choose another file` },
      )
    }
    return new AppError('already_exists', `Cannot create agent "${agent}": it exists`, {
      hint: 'Use update_agent to change it, or choose another agent_id',
    })
  }

  return {
    async createAgent(workspace, agent) {
      const now = clock.now()
      return sql.transaction(() => {
        try {
          insertAgent(sql, workspace, agent, { now, madeByJob: null })
        } catch (cause) {
          if (!(cause instanceof SqlConstraintError)) throw cause
          throw whyTaken(workspace, agent.agent_id, agent.managed_file, agent.file_key)
        }
        return get(workspace, agent.agent_id)
      })
    },

    async getAgent(workspace, agent) {
      return get(workspace, agent)
    },

    async listAgents(workspace, { query, cursor, limit }) {
      const after = cursor === null ? '' : fromCursor('agents', AgentId, cursor)
      // instr and not LIKE: nothing to escape, and Durable Objects allow patterns of 50 bytes only.
      const matches = query === null || query === '' ? [] : [query.toLowerCase()]
      const filter = matches.length === 0 ? '' : 'AND instr(search, ?) > 0'
      const rows = sql.all(
        `SELECT ${summaryColumns} FROM agents WHERE workspace = ? AND sound = 1 AND agent_id > ? ${filter}
           ORDER BY agent_id LIMIT ?`,
        workspace,
        after,
        ...matches,
        limit + 1,
      )
      const [count] = sql.all(
        `SELECT count(*) AS total FROM agents WHERE workspace = ? AND sound = 1 ${filter}`,
        workspace,
        ...matches,
      )
      const page = rows.slice(0, limit)
      const last = page.at(-1)?.agent_id
      const items = page.map(parseAgentSummary).filter((agent) => agent !== null)
      if (items.length < page.length) {
        log.error('Stored agents cannot be read', new Error(`${page.length - items.length} rows`), { workspace })
      }
      return {
        items,
        next_cursor: rows.length > limit && typeof last === 'string' ? toCursor('agents', last) : null,
        total: Number(count?.total),
      }
    },

    async countAgents(workspace) {
      const [row] = sql.all('SELECT count(*) AS total FROM agents WHERE workspace = ? AND sound = 1', workspace)
      return Number(row?.total)
    },

    async updateAgent(workspace, agent, changes) {
      return sql.transaction(() => {
        const before = get(workspace, agent)
        const after = {
          ...before,
          name: changes.name ?? before.name,
          system_prompt: changes.system_prompt ?? before.system_prompt,
          model: changes.model ?? before.model,
          managed_file: changes.file?.managed_file ?? before.managed_file,
        }
        try {
          sql.run(
            `UPDATE agents SET name = ?, managed_file = ?, search = ?, model = ?, system_prompt = ?, updated_at = ?,
               file_key = coalesce(?, file_key) WHERE workspace = ? AND id_key = ?`,
            after.name,
            after.managed_file,
            toSearchText(after),
            after.model,
            after.system_prompt,
            clock.now(),
            changes.file?.file_key ?? null,
            workspace,
            agent.toLowerCase(),
          )
        } catch (cause) {
          if (!(cause instanceof SqlConstraintError)) throw cause
          throw whyTaken(workspace, agent, after.managed_file, changes.file?.file_key ?? '')
        }
        return get(workspace, agent)
      })
    },

    async deleteAgent(workspace, agent) {
      return sql.transaction(() => {
        const record = parseAgent(find(workspace, agent))
        return { managed_file: record?.managed_file ?? null, ...removeAgent(sql, workspace, agent, clock.now()) }
      })
    },

    async findOwners(workspace, fileKeys) {
      const owners = new Map<string, AgentId>()
      for (let start = 0; start < fileKeys.length; start += KEYS_PER_STATEMENT) {
        const keys = fileKeys.slice(start, start + KEYS_PER_STATEMENT)
        const rows = sql.all(
          `SELECT file_key, agent_id FROM agents WHERE workspace = ? AND file_key IN (${keys.map(() => '?').join(', ')})`,
          workspace,
          ...keys,
        )
        for (const row of rows) owners.set(String(row.file_key), v.parse(AgentId, row.agent_id))
      }
      return owners
    },

    async listOwners(workspace, after, limit) {
      const rows = sql.all(
        `SELECT agent_id, managed_file, file_key FROM agents WHERE workspace = ? AND id_key > ?
         ORDER BY id_key LIMIT ?`,
        workspace,
        after?.toLowerCase() ?? '',
        limit,
      )
      return rows.map(({ agent_id, managed_file, file_key }) => ({
        agent_id: String(agent_id),
        managed_file: String(managed_file),
        file_key: String(file_key),
      }))
    },

    async getUsage(workspace, agent) {
      return readUsage(sql, workspace, agent)
    },

    async listMessages(workspace, agent, limit) {
      return sql
        .all(
          `SELECT role, text, job_id, created_at FROM messages WHERE workspace = ? AND agent_id = ?
             ORDER BY message_id DESC LIMIT ?`,
          workspace,
          agent,
          limit,
        )
        .reverse()
        .map((row) => v.parse(AgentMessage, { ...row, created_at: new Date(Number(row.created_at)).toISOString() }))
    },
  }
}

/** Adds the row. Throws `too_large` at AGENTS_MAX, and SqlConstraintError where its id or its file is taken. */
export function insertAgent(
  sql: Sql,
  workspace: WorkspaceId,
  agent: NewAgent,
  { now, madeByJob }: { now: number; madeByJob: JobId | null },
): void {
  const [row] = sql.all('SELECT count(*) AS agents FROM agents WHERE workspace = ?', workspace)
  if (Number(row?.agents) >= AGENTS_MAX) {
    throw new AppError(
      'too_large',
      `Cannot create agent "${agent.agent_id}": ${row?.agents} agents, limit ${AGENTS_MAX}`,
      { hint: 'Delete agents that are no longer needed' },
    )
  }
  sql.run(
    `INSERT INTO agents (workspace, agent_id, id_key, file_key, version, name, managed_file, search, model,
       description, created_at, updated_at, system_prompt, made_by_job)
       VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    workspace,
    agent.agent_id,
    agent.agent_id.toLowerCase(),
    agent.file_key,
    agent.name,
    agent.managed_file,
    toSearchText(agent),
    agent.model,
    agent.description,
    now,
    now,
    agent.system_prompt,
    madeByJob,
  )
}

/** Takes the row away with all that hangs on it, and ends the agent's jobs. Call in a transaction. */
export function removeAgent(
  sql: Sql,
  workspace: WorkspaceId,
  agent: AgentId,
  now: number,
): { cancelled: readonly JobId[]; running: readonly JobId[] } {
  const live = sql.all(
    `SELECT job_id, state FROM jobs WHERE workspace = ? AND agent_id = ? AND state IN ('queued', 'running')`,
    workspace,
    agent,
  )
  // A final state with no finished_fence: whatever a worker reports later is refused.
  sql.run(
    `UPDATE jobs SET state = 'cancelled', cancel_requested = 1, finished_at = ?, error = ?
       WHERE workspace = ? AND agent_id = ? AND state IN ('queued', 'running')`,
    now,
    JSON.stringify({ code: 'cancelled', message: `Cannot finish the job: agent "${agent}" was deleted` }),
    workspace,
    agent,
  )
  sql.run('DELETE FROM messages WHERE workspace = ? AND agent_id = ?', workspace, agent)
  sql.run('DELETE FROM agent_usage WHERE workspace = ? AND agent_id = ?', workspace, agent)
  sql.run('DELETE FROM agents WHERE workspace = ? AND id_key = ?', workspace, agent.toLowerCase())
  return {
    cancelled: live.map((row) => v.parse(JobId, row.job_id)),
    running: live.filter((row) => row.state === 'running').map((row) => v.parse(JobId, row.job_id)),
  }
}

export const agentNotFound = (agent: string): AppError =>
  new AppError('not_found', `Cannot find agent "${agent}": there is none`, { hint: 'Ask list_agents for the agents' })

const toSearchText = (agent: { agent_id: string; name: string; managed_file: string }): string =>
  `${agent.agent_id}\n${agent.name}\n${agent.managed_file}`.toLowerCase()
