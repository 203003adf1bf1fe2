import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AgentWorld, createAgentWorld } from '#test/support/agent-world.ts'
import { createScriptedModel } from '#test/support/scripted-model.ts'
import type { TempRepository } from '#test/support/temp-repository.ts'

let agent: AgentWorld
let world: TempRepository

beforeAll(async () => {
  agent = await createAgentWorld()
  world = agent.repository
})
afterAll(() => agent.close())
beforeEach(() => world.write('a.py', 'def save():\n    return 1\n\n\ndef load():\n    return 2\n'))
afterEach(() => world.git('clean', '--quiet', '--force', '-d'))

const block = (text: string): string => `\`\`\`python\n${text}\`\`\``

const run: AgentWorld['run'] = (...task) => agent.run(...task)

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
