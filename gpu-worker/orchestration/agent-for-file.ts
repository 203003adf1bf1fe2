import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { AgentId, type JobId } from '#shared/ids.ts'
import type { ResolvedFile } from '../ports/file-tree.ts'
import type { AgentForJob } from '../ports/job-agents.ts'

const SLUG_CHARACTERS_MAX = 40

/** The agent that is made for a file that nobody owns. The same job gives the same file the same one. */
export function agentForFile(job: JobId, file: ResolvedFile): AgentForJob {
  const slug = file.path.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-+|-+$/g, '')
  const mark = createHash('sha256').update(`${job}\n${file.key}`).digest('hex').slice(0, 8)
  const agent_id = v.parse(AgentId, `improve-${slug.slice(0, SLUG_CHARACTERS_MAX)}-${mark}`)
  return {
    agent_id,
    name: `Improves ${file.path}`.slice(0, 200),
    managed_file: file.path,
    file_key: file.key,
    system_prompt: 'You improve code without changing what it does for its callers.',
    description: `Made by ${job}`,
  }
}
