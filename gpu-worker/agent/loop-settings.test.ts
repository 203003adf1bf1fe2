import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { openRepository } from '#gpu-worker/adapters/simple-git.ts'
import { openSqliteJournal, type SqliteJournal } from '#gpu-worker/adapters/sqlite-journal.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { createFileChecker } from '#gpu-worker/gates/file-checker.ts'
import { createSettingsSource } from '#gpu-worker/gates/settings-source.ts'
import type { FileChecker } from '#gpu-worker/ports/file-checker.ts'
import type { FileTree } from '#gpu-worker/ports/file-tree.ts'
import type { Repository } from '#gpu-worker/ports/repository.ts'
import type { AgentId } from '#shared/ids.ts'
import { createScriptedModel, type ScriptedModel } from '#test/support/scripted-model.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { type AgentResult, type AgentTask, runAgentTask } from './loop.ts'

let world: TempRepository
let files: FileTree
let repository: Repository
let journal: SqliteJournal
let checker: FileChecker

beforeAll(async () => {
  world = await createTempRepository({ 'README.md': '# Sample\n' })
  files = await createNodeFileTree({ root: world.root })
  repository = await openRepository({ root: world.root })
  journal = openSqliteJournal(join(world.folder, 'journal.sqlite'))
  checker = createFileChecker({ parser: createTreeSitterParser(), settings: createSettingsSource(files) })
})
afterAll(async () => {
  await checker.close()
  journal.close()
  world.remove()
})
beforeEach(() => world.write('a.py', 'def save():\n    return 1\n\n\ndef load():\n    return 2\n'))
afterEach(() => world.git('clean', '--quiet', '--force', '-d'))

const block = (text: string): string => `\`\`\`python\n${text}\`\`\``

async function run(model: ScriptedModel, message: string, mode: AgentTask['mode'] = 'edit'): Promise<AgentResult> {
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
  return runAgentTask(task, { model, files, repository, checker, journal }, options)
}

describe('runAgentTask under millwright.json', () => {
  it('tells the model the rules, and what broke them', async () => {
    world.write(
      'millwright.json',
      '{"checks": {"forbidden_pattern": [{"pattern": "print\\\\(", "message": "Use the logger, not print"}]}}',
    )
    const kept = 'def save():\n    return 3\n\n\ndef load():\n    return 2\n'
    const model = createScriptedModel([block(`${kept}print(1)\n`), block(kept)])
    const { outcome } = await run(model, 'Make save return 3')
    expect(outcome.attempts).toBe(2)
    const [first, second] = model.requests
    expect(first?.turns[1]?.text).toContain(
      '### Rules\n- Valid Python 3\n- At most 300 lines\n- Use the logger, not print\n',
    )
    expect(second?.turns[3]?.text).toContain('- forbidden_pattern: line 7: Use the logger, not print\n')
  })

  it('writes a change that goes beyond the task, with a warning', async () => {
    const { outcome } = await run(createScriptedModel([block('def save():\n    return 3\n')]), 'Make save return 3')
    expect(outcome.changed).toBe(true)
    expect(outcome.checks?.violations).toMatchObject([
      { rule: 'scope', severity: 'warning', message: expect.stringContaining('`load` is gone') },
    ])
  })

  it('asks the model nothing while the configuration is wrong, but still answers questions', async () => {
    world.write('millwright.json', '{"check": {}}')
    const model = createScriptedModel(['It saves.'])
    await expect(run(model, 'Make save return 3')).rejects.toMatchObject({
      code: 'checks_failed',
      message: expect.stringContaining('check: unknown field'),
      details: { checks: { violations: [{ rule: 'configuration' }] } },
    })
    expect(model.requests).toEqual([])
    expect((await run(model, 'What does save do?', 'ask')).outcome.reply).toBe('It saves.')
  })
})
