import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JobProgress } from '#shared/schemas/job.ts'
import { createScriptedModel, type ScriptedReply } from '#test/support/scripted-model.ts'
import { createTemplateWorld, type TemplateWorld } from '#test/support/template-world.ts'
import { designTemplate } from './design.ts'

let world: TemplateWorld
beforeAll(async () => {
  world = await createTemplateWorld()
})
afterAll(() => world?.close())

const spec = JSON.stringify({
  name: 'greeting',
  description: 'Says hello',
  variables: [
    { name: 'who', type: 'string', description: 'Whom', examples: ['you'], choices: [], fields: [] },
    { name: 'loud', type: 'boolean', description: 'How', examples: ['true'], choices: [], fields: [] },
  ],
  outputs: [
    { path: 'greet.py', purpose: 'greets' },
    { path: 'greet.md', purpose: 'says how' },
  ],
  rules: [],
})
const fence = (text: string): string => `\`\`\`\n${text}\`\`\``
const python = fence('WHO = {{ who | py_string }}\n')
const markdown = fence('# Greet\n\n{{ who | md }}\n')

function design(script: readonly (string | ScriptedReply)[], signal = new AbortController().signal) {
  const model = createScriptedModel(script)
  const progress: JobProgress[] = []
  const made = designTemplate(
    'A greeting',
    { ...world.ports, model },
    { signal, onProgress: (now) => progress.push(now) },
  )
  return { made, model, progress }
}

describe('a template by the model', () => {
  it('is made of a spec and a body for each output, without what no body uses', async () => {
    const { made, model, progress } = design([spec, python, markdown])
    const { template, attempts, usage } = await made
    expect(template).toMatchObject({ name: 'greeting', outputs: [{ path: 'greet.py' }, { path: 'greet.md' }] })
    expect(Object.keys(template.variables)).toEqual(['who'])
    expect([...template.bodies.values()]).toEqual(['WHO = {{ who | py_string }}\n', '# Greet\n\n{{ who | md }}\n'])
    expect([attempts, usage.model]).toEqual([3, 'scripted'])
    expect(model.requests.map(({ turns }) => turns.length)).toEqual([2, 2, 2])
    expect(model.requests.map(({ grammar }) => grammar?.kind)).toEqual(['json', 'gbnf', 'gbnf'])
    expect(progress.map(({ phase }) => phase)).toContain('checking')
  })

  it.each([
    ['text in place of a file', 'I cannot.', 'no fenced code block'],
    ['a fence that is not closed', '```\nx = 1\n', 'not closed'],
    ['Liquid that does not parse', fence('{% if who %}\n'), 'not closed'],
    ['a text that is printed as it is', fence('WHO = "{{ who }} "\n'), 'say what it becomes'],
    ['code that does not parse', fence('WHO = = {{ who | py_string }}\n'), 'syntax'],
    ['a variable that there is not', fence('WHO = {{ name | py_string }}\n'), 'uses name'],
  ])('is told of %s, and may mend it', async (_what, wrong, told) => {
    const { made, model } = design([spec, wrong, python, markdown])
    expect((await made).attempts).toBe(4)
    const [, , again] = model.requests
    expect(again?.turns.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user'])
    expect(again?.turns.at(-1)?.text).toContain(told)
  })

  it('is refused after three rounds, with what was wrong', async () => {
    const wrong = ['a', 'b', 'c', 'd'].map((name) => fence(`${name} = = 1\n`))
    const { made, model } = design([spec, ...wrong])
    await expect(made).rejects.toMatchObject({
      code: 'checks_failed',
      details: { attempts: 4, reply: wrong[2], problems: [{ where: 'greet.py.liquid' }] },
    })
    expect(model.requests).toHaveLength(4)
  })

  it('is refused at once where the model says the same again', async () => {
    const { made, model } = design(['{}'])
    await expect(made).rejects.toMatchObject({ code: 'checks_failed' })
    expect(model.requests).toHaveLength(2)
  })

  it('ends where it is cancelled', async () => {
    const cancel = new AbortController()
    const { made } = design([spec, { text: python, during: () => cancel.abort() }], cancel.signal)
    await expect(made).rejects.toMatchObject({ code: 'cancelled' })
  })
})
