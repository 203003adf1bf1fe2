import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createImprovementWorld, type ImprovementWorld, JOB_ID, manifest } from '#test/support/improvement-world.ts'
import { createScriptedModel, type ScriptedReply } from '#test/support/scripted-model.ts'

// The agent loop with judges that are not the model, on a real repository with tests of its own (node:test).

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
const flat = `export function grade(points) {
  if (points >= 90) return 'A'
  if (points >= 70) return 'B'
  return points >= 50 ? 'C' : 'F'
}
`
const tests = `import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { grade } from '../lib/grade.js'

test('grades', () => {
  equal(grade(95), 'A')
  equal(grade(75), 'B')
})
test('fails what is too little', () => equal(grade(10), 'F'))
`

let world: ImprovementWorld
beforeAll(async () => {
  world = await createImprovementWorld({
    'package.json': manifest,
    'lib/grade.js': nested,
    'test/grade.test.js': tests,
  })
})
afterAll(() => world?.close())
afterEach(() => world.restore())

const block = (text: string): string => `\`\`\`javascript\n${text}\`\`\``
const scripted = (...script: (string | ScriptedReply)[]) => createScriptedModel(script)
const refactor = { action: 'refactor_code', goal: 'Reduce the nesting', path: 'lib/grade.js' } as const

describe('refactor_code', { timeout: 60_000 }, () => {
  it('keeps what is better by its figures and passes the tests, and says what is proven', async () => {
    const outcome = await world.improve(scripted(block(flat)), refactor)
    expect(world.repository.read('lib/grade.js')).toBe(flat)
    expect(outcome).toMatchObject({
      action: 'refactor_code',
      path: 'lib/grade.js',
      changed: true,
      attempts: 1,
      before: { cyclomatic: 5, cognitive: 12, nesting: 4 },
      after: { cyclomatic: 4, cognitive: 3, nesting: 1 },
      tests: { runner: 'node', before: { passed: 2, failed: 0 }, after: { passed: 2, failed: 0 } },
      proof: [
        { rule: 'public_names', proven: true, how: 'all 1 public names are there' },
        { rule: 'excuses', proven: true, how: 'no comment was added that makes a checker look away' },
        { rule: 'metrics', proven: true, how: 'nesting 4 -> 1, cognitive 12 -> 3, cognitive_total 12 -> 3' },
        { rule: 'tests', proven: true, how: 'all 2 tests that passed before pass (node)' },
      ],
    })
    expect(outcome.checks?.ran).toEqual(expect.arrayContaining(['syntax', 'public_names', 'metrics', 'tests']))
  })

  it('keeps the whole outcome with the write where the write ends the job, and none where it does not', async () => {
    const outcome = await world.improve(scripted(block(flat)), refactor)
    expect(world.journal.writesOf(JOB_ID).at(-1)?.outcome).toEqual(outcome)
    await world.repository.git('checkout', '--quiet', '.')
    await world.improve(scripted(block(flat)), { ...refactor, endsJob: false })
    expect(world.journal.writesOf(JOB_ID).at(-1)?.outcome).toBeNull()
  })

  it('tells the model what got worse, and takes what it mends', async () => {
    const worse = nested.replace("result = 'C'", "for (const x of []) if (x) result = x\n        result = 'C'")
    const model = scripted(block(worse), block(flat))
    const outcome = await world.improve(model, refactor)
    expect(outcome.attempts).toBe(2)
    const repair = model.requests[1]?.turns.at(-1)?.text
    expect(repair).toContain(
      '- metrics: This made it worse: the highest cyclomatic complexity of a function was 5 and is 7',
    )
    expect(world.repository.read('lib/grade.js')).toBe(flat)
  })

  it('tells the model what is asked before it writes', async () => {
    const model = scripted(block(flat))
    await world.improve(model, refactor)
    const prompt = model.requests[0]?.turns.at(-1)?.text
    expect(prompt).toContain('Refactor this file: Reduce the nesting')
    expect(prompt).toContain('`grade` (line 1): cognitive 12, cyclomatic 5')
    expect(prompt).toContain('- Something of this gets better, and nothing worse: the deepest nesting')
  })

  it.each([
    ['makes a checker look away', `// eslint-disable-next-line\n${flat}`, 'excuses', 'Remove the comment'],
    ['makes nothing better', nested.replace("'F'", '"F"'), 'metrics', 'Nothing got better'],
    [
      'makes a figure worse',
      nested.replace("= 'A'", "= points > 99 || points > 98 ? 'A' : 'A'"),
      'metrics',
      'made it worse',
    ],
    ['loses a public name', flat.replace('grade', 'mark'), 'public_names', 'put back'],
    ['takes other parameters', flat.replace('(points)', '(points, bonus)'), 'public_names', 'give back the parameters'],
    ['hides a public name', flat.replace('export ', ''), 'public_names', 'put back'],
    ['breaks a test', flat.replace("'B'", "'D'"), 'tests', 'The test '],
    [
      'breaks all tests',
      flat.replace('export function', 'import "./gone.js"\nexport function'),
      'tests',
      'passed before',
    ],
  ])('does not keep what %s', async (_what, text, rule, message) => {
    const refusal = await world.refusal(scripted(block(text)), refactor)
    expect(refusal.code).toBe('checks_failed')
    expect(refusal.message).toContain(`${rule}: `)
    expect(refusal.message).toContain(message)
    expect(refusal.details).toMatchObject({
      action: 'refactor_code',
      path: 'lib/grade.js',
      job_id: JOB_ID,
      before: { cognitive: 12 },
      after: { cognitive: expect.any(Number) },
      diff: expect.stringContaining('+++ b/lib/grade.js'),
      checks: { passed: false },
      proof: expect.arrayContaining([expect.objectContaining({ rule, proven: false })]),
      usage: { model: 'scripted' },
    })
    expect(world.repository.read('lib/grade.js')).toBe(nested)
  })

  it('says that nothing shows the behaviour where there are no tests', async () => {
    await world.repository.git('rm', '--quiet', 'test/grade.test.js')
    const outcome = await world.improve(scripted(block(flat)), refactor)
    expect(outcome.tests).toBeNull()
    expect(outcome.proof.at(-1)).toEqual({
      rule: 'tests',
      proven: false,
      how: 'the repository has no tests, so nothing shows that the code does the same',
    })
  })

  it('does not take missing code for better code where no test would miss it', async () => {
    await world.repository.git('rm', '--quiet', 'test/grade.test.js')
    const empty = 'export function grade(points) {\n  return 1\n}\n'
    expect((await world.refusal(scripted(block(empty)), refactor)).message).toContain(
      'tests: More than half of the names, numbers and texts',
    )
  })

  it('minds who owns the file', async () => {
    world.owners.set('lib/grade.js', 'grader')
    expect((await world.refusal(scripted(block(flat)), refactor)).code).toBe('not_owner')
    const other = { id: 'other', file: 'lib/other.js' }
    expect((await world.refusal(scripted(block(flat)), { ...refactor, agent: other })).code).toBe('not_owner')
    const model = scripted(block(flat))
    await world.improve(model, { ...refactor, agent: { id: 'grader', file: 'lib/grade.js' } })
    expect(model.requests[0]).toMatchObject({
      cacheKey: 'grader',
      turns: [{ text: expect.stringMatching(/^You improve code/) }, {}],
    })
  })

  it('keeps what a person writes meanwhile', async () => {
    const theirs = `// Mine.\n${nested}`
    const during = () => world.repository.write('lib/grade.js', theirs)
    await expect(world.improve(scripted({ text: block(flat), during }), refactor)).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(world.repository.read('lib/grade.js')).toBe(theirs)
  })

  it('stops while it is judged, with nothing written', async () => {
    const cancel = new AbortController()
    const onProgress = ({ message }: { message: string }) => {
      if (message.endsWith(': tests')) cancel.abort()
    }
    const refusal = await world.refusal(scripted(block(flat)), { ...refactor, signal: cancel.signal, onProgress })
    expect(refusal.code).toBe('cancelled')
  })

  it('stops when it is cancelled, with nothing written', async () => {
    const cancel = new AbortController()
    const during = () => cancel.abort()
    const refusal = await world.refusal(scripted({ text: block(flat), during }), { ...refactor, signal: cancel.signal })
    expect(refusal.code).toBe('cancelled')
  })

  it('refuses what is no code, and what is not there, before the model is asked', async () => {
    const model = scripted(block(flat))
    world.repository.write('data.json', '{}\n')
    expect((await world.refusal(model, { ...refactor, path: 'data.json' })).code).toBe('invalid_input')
    expect((await world.refusal(model, { ...refactor, path: 'lib/gone.js' })).code).toBe('not_found')
    expect((await world.refusal(model, { ...refactor, path: '.git/config' })).code).toBe('protected_path')
    expect(model.requests).toEqual([])
  })

  it('tells of its progress', async () => {
    const said: string[] = []
    await world.improve(scripted(block(flat)), { ...refactor, onProgress: ({ message }) => said.push(message) })
    expect(said).toEqual(expect.arrayContaining(['Running node', 'Judging lib/grade.js: tests']))
  })
})
