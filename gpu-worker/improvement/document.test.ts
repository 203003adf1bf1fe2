import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createImprovementWorld, type ImprovementWorld, manifest } from '#test/support/improvement-world.ts'
import { createScriptedModel } from '#test/support/scripted-model.ts'

const nested = `export function grade(points) {
  let result = 'F'
  if (points >= 0) {
    if (points >= 50) {
      if (points >= 70) {
        if (points >= 90) {
          result = 'A'
        } else {
          result = 'B'
        }
      } else {
        result = 'C'
      }
    }
  }
  return result
}
`

let world: ImprovementWorld
beforeAll(async () => {
  world = await createImprovementWorld({
    'package.json': manifest,
    'lib/grade.js': nested,
    'test/grade.test.js': "import '../lib/grade.js'\n",
  })
})
afterAll(() => world?.close())
afterEach(() => world.restore())

const block = (text: string): string => `\`\`\`javascript\n${text}\`\`\``
const scripted = (...script: string[]) => createScriptedModel(script)
describe('generate_documentation', { timeout: 60_000 }, () => {
  const document = { action: 'generate_documentation', kind: 'docstrings', path: 'lib/grade.js' } as const
  const documented = `/** The grade for some points. */\n${nested}`

  it('keeps documentation under which the code is the same', async () => {
    const model = scripted(block(documented))
    const outcome = await world.improve(model, document)
    expect(world.repository.read('lib/grade.js')).toBe(documented)
    expect(outcome).toMatchObject({ before: { missing_docs: 1 }, after: { missing_docs: 0 }, tests: null })
    expect(outcome.proof.map(({ rule, proven }) => ({ rule, proven }))).toEqual([
      { rule: 'code_unchanged', proven: true },
      { rule: 'documented', proven: true },
    ])
    expect(model.requests[0]?.turns.at(-1)?.text).toContain(
      'each of these, which says what it does, and change nothing else: `grade` (line 1)',
    )
  })

  it.each([
    ['changes the code', documented.replace('>= 90', '> 90'), 'code_unchanged'],
    ['mends besides', documented.replace('points >= 0', 'points > 0'), 'code_unchanged'],
    ['documents nothing', `// Some points.\n${nested}`, 'documented'],
  ])('does not keep what %s', async (_what, text, rule) => {
    const refusal = await world.refusal(scripted(block(text)), document)
    expect(refusal).toMatchObject({ code: 'checks_failed', message: expect.stringContaining(`${rule}: `) })
  })

  it('has nothing to do where all is documented', async () => {
    world.repository.write('lib/grade.js', documented)
    const model = scripted(block(documented))
    expect((await world.refusal(model, document)).code).toBe('already_exists')
    expect(model.requests).toEqual([])
  })

  it('knows what a docstring of Python is', async () => {
    const code = 'class Box:\n    def open(self, far):\n        if far:\n            return 1\n        return 2\n'
    const inside = code.replace(':\n        if', ':\n        """Opens it."""\n        if')
    const python = (text: string): string => `\`\`\`python\n${text}\`\`\``
    const box = { ...document, path: 'box.py' }
    world.repository.write('box.py', code)
    const moved = inside.replace('        return 2', '            return 2')
    expect((await world.refusal(scripted(python(moved)), box)).message).toContain('code_unchanged: ')
    const outcome = await world.improve(scripted(python(inside)), box)
    expect(world.repository.read('box.py')).toBe(inside)
    expect(outcome).toMatchObject({ before: { missing_docs: 2 }, after: { missing_docs: 1 } })
  })

  it('documents a long file by edits of its lines', async () => {
    const long = `${Array.from({ length: 210 }, (_, at) => `export const v${at} = ${at}\n`).join('')}export function f() {\n  return 1\n}\n`
    world.repository.write('lib/long.js', long)
    const model = scripted(`Insert after 210\n${block('/** One. */\n')}`)
    const outcome = await world.improve(model, { ...document, path: 'lib/long.js' })
    expect(outcome.diff).toContain('+/** One. */\n export function f() {')
    expect(model.requests[0]?.turns.at(-1)?.text).toContain('`f` (line 211)')
  })

  const readme = { action: 'generate_documentation', kind: 'readme', path: 'lib/grade.js' } as const
  const fence = (text: string): string => `\`\`\`\`markdown\n${text}\`\`\`\``
  const good = '# Grades\n\n`grade(points)` gives a letter. Its [tests](../test/grade.test.js).\n'

  it('writes the README of a folder, where what it says exists', async () => {
    const outcome = await world.improve(scripted(fence(good)), readme)
    expect(world.repository.read('lib/README.md')).toBe(good)
    expect(outcome).toMatchObject({ path: 'lib/README.md', before: null, after: null })
    expect(outcome.proof).toEqual([
      { rule: 'readme', proven: true, how: '1 names of code and 1 links are right; 1 of 1 public names are told' },
    ])
  })

  it.each([
    ['names what is not there', good.replace('grade(', 'getGrade('), 'The module has no `getGrade`'],
    ['links to nothing', good.replace('grade.test.js', 'gone.md'), 'There is no `../test/gone.md`'],
    ['says nothing of the module', '# Grades\n\nLetters for pupils.\n', 'Say what the module offers: `grade`'],
  ])('does not keep a README that %s', async (_what, text, message) => {
    const refusal = await world.refusal(scripted(fence(text)), readme)
    expect(refusal).toMatchObject({ code: 'checks_failed', message: expect.stringContaining(message) })
    expect(world.repository.exists('lib/README.md')).toBe(false)
  })
})
