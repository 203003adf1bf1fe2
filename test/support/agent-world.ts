import { join } from 'node:path'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { openRepository } from '#gpu-worker/adapters/simple-git.ts'
import { openSqliteJournal } from '#gpu-worker/adapters/sqlite-journal.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { type AgentResult, type AgentTask, runAgentTask } from '#gpu-worker/agent/loop.ts'
import { createFileChecker } from '#gpu-worker/gates/file-checker.ts'
import { createSettingsSource } from '#gpu-worker/gates/settings-source.ts'
import type { LanguageModel } from '#gpu-worker/ports/language-model.ts'
import type { AgentId } from '#shared/ids.ts'
import { createTempRepository, type TempRepository } from './temp-repository.ts'

/** An agent that owns `a.py` in a repository of its own, under that repository's `millwright.json`; only its model is given. */
export interface AgentWorld {
  readonly repository: TempRepository
  run(model: LanguageModel, message: string, mode?: AgentTask['mode']): Promise<AgentResult>
  close(): Promise<void>
}

export async function createAgentWorld(): Promise<AgentWorld> {
  const world = await createTempRepository({ 'README.md': '# Sample\n' })
  const files = await createNodeFileTree({ root: world.root })
  const repository = await openRepository({ root: world.root })
  const journal = openSqliteJournal(join(world.folder, 'journal.sqlite'))
  const settings = createSettingsSource(files)
  const checker = createFileChecker({ parser: createTreeSitterParser(), settings })
  return {
    repository: world,
    async run(model, message, mode = 'edit') {
      const task: AgentTask = {
        mode,
        agent: { agent_id: 'a' as AgentId, managed_file: 'a.py', system_prompt: '', model: null },
        file: await files.resolve('a.py', 'write'),
        context: {},
        message,
        history: [],
        jobId: 'job_0123456789abcdefghjkmnpqrs',
      }
      const options = { signal: new AbortController().signal, onProgress: () => {} }
      return runAgentTask(task, { model, files, repository, checker, journal, settings }, options)
    },
    async close() {
      await checker.close()
      journal.close()
      world.remove()
    },
  }
}
