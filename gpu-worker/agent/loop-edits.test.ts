import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AgentWorld, createAgentWorld } from '#test/support/agent-world.ts'
import { createScriptedModel } from '#test/support/scripted-model.ts'
import type { TempRepository } from '#test/support/temp-repository.ts'

let agent: AgentWorld
let world: TempRepository

/** 250 lines: beyond what is written whole, within the line limit. */
const long = Array.from({ length: 250 }, (_, index) => `value_${index + 1} = ${index + 1}\n`).join('')

beforeAll(async () => {
  agent = await createAgentWorld()
  world = agent.repository
})
afterAll(() => agent.close())
beforeEach(() => world.write('a.py', long))
afterEach(() => world.git('clean', '--quiet', '--force', '-d'))

const block = (text: string): string => `\`\`\`python\n${text}\`\`\``

const run: AgentWorld['run'] = (...task) => agent.run(...task)

describe('runAgentTask on a long file', () => {
  it('asks for edits and writes the file that they make', async () => {
    const model = createScriptedModel([
      `Replace 3-4\n${block('total = 7\n')}\nDelete 10-10\nInsert after 250\n${block('last = 1\n')}`,
    ])
    const { outcome } = await run(model, 'Replace value_3 and value_4 by total, delete value_10')
    const expected = long
      .replace('value_3 = 3\nvalue_4 = 4\n', 'total = 7\n')
      .replace('value_10 = 10\n', '')
      .concat('last = 1\n')
    expect(world.read('a.py')).toBe(expected)
    expect(outcome).toMatchObject({ changed: true, attempts: 1, reply: 'Wrote a.py: +2 -3' })
    expect(outcome.diff).toContain('-value_10 = 10\n')
    const [request] = model.requests
    expect(request?.turns[1]?.text).toContain('(yours, 250 lines, numbered)\n```python\n1│value_1 = 1\n')
    expect(request?.grammar).toEqual({ kind: 'edits', lines: 250, info: 'python', fenceLength: 3 })
  })

  it('repairs in the same form, with the lines that the model knows', async () => {
    const model = createScriptedModel([
      `Replace 2-400\n${block('x = 1\n')}`,
      `Insert after 250\n${block('def f(:\n')}`,
      `Insert after 250\n${block('def f():\n    return 1\n')}`,
    ])
    const { outcome } = await run(model, 'Add a function f')
    expect(outcome).toMatchObject({ changed: true, attempts: 3 })
    const [, second, third] = model.requests.map(({ turns }) => turns.at(-1)?.text)
    expect(second).toContain('- edit_range: `Replace 2-400` is not in the file: lines go from 1 to 250')
    expect(third).toContain('line 1 of edit 1: ')
    expect(third).toContain('answer with all edits again')
    expect(world.read('a.py')).toBe(`${long}def f():\n    return 1\n`)
  })

  it('proposes without writing', async () => {
    const { outcome, proposal } = await run(createScriptedModel(['Delete 250-250']), 'Delete value_250', 'propose')
    expect(outcome.diff).toContain('-value_250 = 250\n')
    expect(proposal).not.toBeNull()
    expect(world.read('a.py')).toBe(long)
  })

  it('leaves the file alone and shows the diff where a check refuses', async () => {
    const long = Array.from({ length: 60 }, (_, index) => `more_${index} = ${index}\n`).join('')
    await expect(run(createScriptedModel([`Insert after 9\n${block(long)}`]), 'Add more')).rejects.toMatchObject({
      code: 'checks_failed',
      details: { diff: expect.stringContaining('+more_59 = 59'), attempts: 2 },
    })
  })

  it('needs room for edits only', async () => {
    // The file alone has 1,000 tokens; to write it again would take 1,500 more.
    const small = createScriptedModel(['Delete 1-1'], { contextTokens: 3000 })
    expect((await run(small, 'Delete value_1')).outcome.changed).toBe(true)
  })

  it('keeps to whole files where the owner says so, and answers questions without numbers', async () => {
    world.write('millwright.json', '{"answers": {"edits_above_lines": 250}}')
    const whole = createScriptedModel([block(long.replace('value_1 = 1', 'value_1 = 2'))])
    expect((await run(whole, 'Set value_1 to 2')).outcome.changed).toBe(true)
    expect(whole.requests[0]?.turns[1]?.text).toContain('(yours, 250 lines)\n```python\nvalue_1 = 1\n')
    expect(whole.requests[0]?.grammar?.kind).toBe('gbnf')

    world.write('millwright.json', '{"answers": {"edits_above_lines": 1}}')
    const asked = createScriptedModel(['Numbers.'])
    expect((await run(asked, 'What is in it?', 'ask')).outcome.reply).toBe('Numbers.')
    expect(asked.requests[0]?.turns[1]?.text).toContain('(yours, 250 lines)\n')
    expect(asked.requests[0]?.grammar).toBeUndefined()
  })
})
