import { afterEach, describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import type { OrchestrationReport } from '#shared/schemas/orchestration.ts'
import { createAnsweringModel } from '#test/support/answering-model.ts'
import { askedOf, improvableFiles, improvedAnswer } from '#test/support/improvable.ts'
import { createOrchestrationWorld, type OrchestrationWorld } from '#test/support/orchestration-world.ts'

// Everything is real but the model: git, the sandbox, the package's own tests, the registry, the journal.

const files = improvableFiles()
const worlds: OrchestrationWorld[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close()
})

async function worldOf(contents: Record<string, string> = files): Promise<OrchestrationWorld> {
  const world = await createOrchestrationWorld(contents)
  worlds.push(world)
  return world
}

const skilled = () => createAnsweringModel((request) => improvedAnswer(request))
const stepsOf = ({ steps }: OrchestrationReport): string[] =>
  steps.map(({ path, action, state }) => `${path} ${action} ${state}`)
/** Three steps, in this order: prices, labels, ranges. They run no tests of their own. */
const documented = { goal: 'Document everything' }
const reportIn = (details: Record<string, unknown> | undefined): OrchestrationReport =>
  details?.report as OrchestrationReport

describe('an orchestrated improvement', { timeout: 120_000 }, () => {
  it('does the worst file first and keeps what is proven, by an agent of each file', async () => {
    const world = await worldOf()
    await world.own('pricing', 'src/prices.js')
    const model = skilled()
    const report = await world.run(model)
    expect(stepsOf(report)).toEqual([
      'src/prices.js generate_documentation kept',
      'src/prices.js refactor_code kept',
      'src/labels.js generate_documentation kept',
      'src/labels.js refactor_code not_kept',
      'src/ranges.js generate_documentation kept',
      'src/ranges.js generate_tests kept',
      'src/slugs.js generate_tests not_kept',
    ])
    expect(report).toMatchObject({
      ended_by: 'done',
      kept: 5,
      reverted: 0,
      steps_left: 0,
      files_measured: 4,
      used: { iterations: 7 },
      tests: { before: { passed: 7, failed: 0 }, after: { passed: 9, failed: 0 }, broken: [] },
    })
    // What the oracles said, with the figures of before and after.
    const [, prices, , labels, , ranges, slugs] = report.steps
    expect(labels?.note).toContain('a book is called by its author')
    expect(prices).toMatchObject({ agent_id: 'pricing', agent_made: false })
    expect(prices?.before?.cognitive).toBeGreaterThan(prices?.after?.cognitive ?? Number.NaN)
    expect(prices?.proof).toContainEqual(expect.objectContaining({ rule: 'tests', proven: true }))
    expect(ranges?.agent_id).toMatch(/^improve-test-ranges-test-js-/)
    expect(slugs?.note).toContain('test')
    // Exactly that is in the files; the agents that were made are gone, and the owner is not.
    expect(await world.changed()).toEqual(['src/labels.js', 'src/prices.js', 'src/ranges.js', 'test/ranges.test.js'])
    expect(world.repository.read('src/prices.js')).toContain('isCharged')
    expect(world.repository.read('src/labels.js')).toContain('/** How an item is called')
    expect(world.repository.read('src/labels.js')).toContain("item.kind === 'book'")
    expect(await world.agents()).toEqual(['pricing'])
    expect(report.usage.prompt_tokens + report.usage.completion_tokens).toBe(report.used.tokens)
    expect(model.requests.length).toBeGreaterThanOrEqual(7)
  })

  it('ends at its iterations, and says what is left', async () => {
    const world = await worldOf()
    const report = await world.run(skilled(), { budget: { iterations: 1, minutes: 30, tokens: null } })
    expect(stepsOf(report)).toEqual(['src/prices.js generate_documentation kept'])
    expect(report).toMatchObject({ ended_by: 'iterations', steps_left: 6, used: { iterations: 1 } })
    expect(await world.changed()).toEqual(['src/prices.js'])
  })

  it('never takes more tokens than its budget has', async () => {
    const world = await worldOf()
    const budget = { iterations: 20, minutes: 30, tokens: 5200 }
    const report = await world.run(skilled(), { ...documented, budget })
    expect(report.ended_by).toBe('tokens')
    expect(report.used.tokens).toBeLessThanOrEqual(5200)
    expect(report.kept).toBeGreaterThan(0)
    expect(report.steps.at(-1)?.note).toContain('Cannot ask the model')
    const none = await (await worldOf()).refusal(skilled(), { ...documented, budget: { ...budget, tokens: 100 } })
    expect(none.code).toBe('checks_failed')
    expect(reportIn(none.details)).toMatchObject({ ended_by: 'tokens', kept: 0, used: { tokens: 0 } })
  })

  it('ends at its minutes in the middle of a step, and the file of that step is as it was', async () => {
    const world = await worldOf()
    const model = createAnsweringModel(async (request, signal) => {
      if (askedOf(request).path === 'src/labels.js') await aborted(signal)
      return improvedAnswer(request)
    })
    // The first step takes a fraction of this, and the second would take for ever.
    const budget = { iterations: 20, minutes: 0.2, tokens: null }
    const report = await world.run(model, { ...documented, budget })
    expect(stepsOf(report)).toEqual([
      'src/prices.js generate_documentation kept',
      'src/labels.js generate_documentation planned',
      'src/ranges.js generate_documentation planned',
    ])
    expect(report).toMatchObject({ ended_by: 'minutes', used: { iterations: 1 }, tests: { after: { failed: 0 } } })
    expect(await world.changed()).toEqual(['src/prices.js'])
  })

  it('stops when it is cancelled, tells how far it got, and leaves each file whole', async () => {
    const world = await worldOf()
    const cancel = new AbortController()
    const refusal = await world.refusal(stoppingAt('src/labels.js', cancel), { ...documented, signal: cancel.signal })
    expect(refusal).toMatchObject({ code: 'cancelled', message: expect.stringContaining('1 of 3 steps; 1 is kept') })
    expect(reportIn(refusal.details)).toMatchObject({ ended_by: 'stopped', kept: 1, tests: { after: null } })
    expect(await world.changed()).toEqual(['src/prices.js'])
  })

  it('tells how far it got also where it was cancelled while no worker had it', async () => {
    const world = await worldOf()
    const job = await world.startJob()
    const stop = new AbortController()
    await world.refusal(stoppingAt('src/labels.js', stop), { ...documented, job, signal: stop.signal })
    const model = skilled()
    const again = { job: await world.claimAgain(job), signal: AbortSignal.abort() }
    expect(reportIn((await world.refusal(model, again)).details)).toMatchObject({ ended_by: 'stopped', kept: 1 })
    expect(model.requests).toEqual([])
  })

  it('goes on where it was when its worker comes back, and does nothing twice', async () => {
    const world = await worldOf()
    const job = await world.startJob()
    const stop = new AbortController()
    await world.refusal(stoppingAt('src/labels.js', stop), { ...documented, job, signal: stop.signal })
    const model = skilled()
    const report = await world.run(model, { job: await world.claimAgain(job) })
    expect(report).toMatchObject({ ended_by: 'done', kept: 3, used: { iterations: 3 }, goal: documented.goal })
    // Neither asked nor written again; and the plan, the goal and the cost are those of the first worker.
    expect(model.requests.map(askedOf).map(({ path }) => path)).toEqual(['src/labels.js', 'src/ranges.js'])
    const [first] = report.steps
    expect(first?.tokens).toBeGreaterThan(0)
    expect(report.used.tokens).toBe(report.steps.reduce((sum, { tokens }) => sum + tokens, 0))
  })

  it('takes a write that landed right before its worker was killed for what it is', async () => {
    const world = await worldOf()
    const job = await world.startJob()
    // The worker dies when it has written the first file and before it has noted that.
    const killed = new Error('killed')
    const keep = world.journal.keepStepLater
    world.journal.keepStepLater = (...args) => {
      if ((args[2] as { state: string }).state === 'kept') throw killed
      keep(...args)
    }
    await expect(world.run(skilled(), { ...documented, job })).rejects.toBe(killed)
    world.journal.keepStepLater = keep
    const written = world.repository.read('src/prices.js')
    expect(written).not.toBe(files['src/prices.js'])
    const model = skilled()
    const report = await world.run(model, { job: await world.claimAgain(job) })
    expect(report.kept).toBe(3)
    expect(report.steps[0]).toMatchObject({ state: 'kept', after: { missing_docs: 0 } })
    expect(model.requests.map(askedOf).map(({ path }) => path)).toEqual(['src/labels.js', 'src/ranges.js'])
    expect(world.repository.read('src/prices.js')).toBe(written)
  })

  it('gives a step up under which the worker stops again and again', async () => {
    const world = await worldOf()
    let job = await world.startJob()
    const fatal = createAnsweringModel((request) => {
      if (askedOf(request).path === 'src/prices.js') throw new Error('the worker is gone')
      return improvedAnswer(request)
    })
    for (let life = 0; life < 3; life++) {
      await expect(world.run(fatal, { ...documented, job })).rejects.toThrow('the worker is gone')
      job = await world.claimAgain(job)
    }
    const report = await world.run(fatal, { job })
    expect(report.steps[0]).toMatchObject({ state: 'skipped', note: expect.stringContaining('stopped 3 times') })
    expect(report.kept).toBe(2)
  })

  it('leaves a file that a person saves meanwhile to the person, and says so', async () => {
    const world = await worldOf()
    const model = createAnsweringModel((request) => {
      const { path } = askedOf(request)
      if (path === 'src/prices.js') world.repository.write(path, `${files[path]}// mine\n`)
      return improvedAnswer(request)
    })
    const report = await world.run(model, documented)
    expect(report).toMatchObject({ kept: 2, ended_by: 'done' })
    expect(report.steps[0]).toMatchObject({
      state: 'skipped',
      note: expect.stringContaining('not the version that was expected'),
    })
    expect(world.repository.read('src/prices.js')).toBe(`${files['src/prices.js']}// mine\n`)
  })

  it('skips a file that gets another owner meanwhile', async () => {
    const world = await worldOf()
    const model = createAnsweringModel(async (request) => {
      if (askedOf(request).path === 'src/prices.js') {
        for (const agent of await world.agents()) await world.disown(agent)
        await world.own('taken', 'src/prices.js')
      }
      return improvedAnswer(request)
    })
    const report = await world.run(model, documented)
    expect(report.steps[0]).toMatchObject({
      state: 'skipped',
      note: expect.stringContaining('managed by agent taken'),
    })
    expect(await world.changed()).toEqual(['src/labels.js', 'src/ranges.js'])
    expect(await world.agents()).toEqual(['taken'])
  })

  it('takes back, the newest first, what breaks the tests only together', async () => {
    const world = await worldOf({ ...files, 'test/size.test.js': SIZE_TEST })
    const report = await world.run(skilled(), documented)
    expect(stepsOf(report)).toEqual([
      'src/prices.js generate_documentation kept',
      'src/labels.js generate_documentation kept',
      'src/ranges.js generate_documentation reverted',
    ])
    expect(report).toMatchObject({ kept: 2, reverted: 1, tests: { broken: [], after: { failed: 0 } } })
    expect(report.steps[2]?.note).toContain('the sources stay small')
    expect(report.tests.note).toContain('with 1 step taken back')
    expect(world.repository.read('src/ranges.js')).toBe(files['src/ranges.js'])
    expect(await world.changed()).toEqual(['src/labels.js', 'src/prices.js'])
    expect(await world.agents()).toEqual([])
  })

  it('commits what it kept where it is asked to, one commit for a file', async () => {
    const world = await worldOf()
    const report = await world.run(skilled(), { commit: true, paths: ['src/prices.js'] })
    const [docs, refactored] = report.steps
    expect(docs?.commit).toMatch(/^[0-9a-f]{40}/)
    expect(refactored?.commit).toBe(docs?.commit)
    const message = await world.repository.git('log', '-1', '--format=%B')
    expect(message).toContain('Improve src/prices.js')
    expect(message).toMatch(/Millwright-Job: job_/)
    expect(message).toMatch(/Millwright-Agent: improve-src-prices-js-/)
    expect(await world.changed()).toEqual([])
  })

  it('keeps the agents that it makes where it is asked to', async () => {
    const world = await worldOf()
    await world.run(skilled(), { keepAgents: true, paths: ['src/prices.js'] })
    expect(await world.agents()).toEqual([expect.stringMatching(/^improve-src-prices-js-/)])
  })

  it('works on independent files at the same time, and on no two that import one another', async () => {
    const world = await worldOf({ ...files, 'src/totals.js': TOTALS })
    let open = 0
    const three = Promise.withResolvers<void>()
    const model = createAnsweringModel(async (request) => {
      open++
      if (open === 3) three.resolve()
      // The first of all waits for two others: without them this test would not end.
      await three.promise
      return improvedAnswer(request)
    })
    const together = new Set<string>()
    const onProgress = ({ steps = [] }: JobProgress): void => {
      together.add(steps.flatMap(({ path, state }) => (state === 'running' ? [path] : [])).join(' '))
    }
    const report = await world.run(model, { stepsAtOnce: 4, onProgress, ...documented })
    expect(stepsOf(report)).toContain('src/totals.js generate_documentation not_kept')
    expect(report.kept).toBe(3)
    expect([...together]).toContain('src/prices.js src/labels.js src/ranges.js')
    expect([...together].filter((paths) => paths.includes('prices') && paths.includes('totals'))).toEqual([])
  })

  it('ends where there is no model, with what it has', async () => {
    const world = await worldOf()
    const model = createAnsweringModel((request) => {
      if (askedOf(request).path === 'src/labels.js') throw new AppError('model_unavailable', 'The model is gone')
      return improvedAnswer(request)
    })
    const report = await world.run(model, documented)
    expect(report).toMatchObject({ ended_by: 'model_unavailable', kept: 1 })
    const refused = await (await worldOf()).refusal(
      createAnsweringModel(() => {
        throw new AppError('model_unavailable', 'The model is gone')
      }),
    )
    expect(refused).toMatchObject({ code: 'model_unavailable', message: expect.stringContaining('The model is gone') })
  })

  it('refuses where nothing was kept, or nothing is to be improved', async () => {
    const world = await worldOf()
    const refused = await world.refusal(
      createAnsweringModel(() => 'I will not.'),
      documented,
    )
    expect(refused).toMatchObject({ code: 'checks_failed' })
    expect(reportIn(refused.details).steps.map(({ state }) => state)).toEqual(Array(3).fill('not_kept'))
    expect(await world.changed()).toEqual([])
    const fine = await worldOf({ 'a.py': '"""Nothing."""\n' })
    expect(await fine.refusal(skilled())).toMatchObject({ code: 'not_found' })
  })

  it('stops a worker that has lost the job to another', async () => {
    const world = await worldOf()
    const job = await world.startJob()
    await world.claimAgain(job)
    expect(await world.refusal(skilled(), { job })).toMatchObject({ code: 'cancelled' })
    expect(await world.changed()).toEqual([])
    expect(await world.agents()).toEqual([])
  })

  it('says that nothing but the checks proves it where the repository has no tests', async () => {
    const { 'test/prices.test.js': _prices, 'test/labels.test.js': _labels, 'package.json': _manifest, ...rest } = files
    const world = await worldOf(rest)
    const report = await world.run(skilled(), documented)
    expect(report).toMatchObject({ kept: 3, tests: { before: null, after: null } })
    expect(report.tests.note).toContain('no tests')
  })
})

const TOTALS = `import { priceOf } from './prices.js'

export function totalOf(orders) {
  return orders.reduce((total, order) => total + priceOf(order), 0)
}
`

/** Holds with two lines more than there are now, and not with three. */
const SIZE_TEST = `import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

test('the sources stay small', () => {
  const names = ['prices', 'labels', 'slugs', 'ranges']
  const lines = names.map((name) => readFileSync(new URL(\`../src/\${name}.js\`, import.meta.url), 'utf8').split('\\n').length)
  assert.ok(lines.reduce((sum, each) => sum + each, 0) <= ${sourceLines() + 2})
})
`

function sourceLines(): number {
  const names = ['prices', 'labels', 'slugs', 'ranges']
  return names.reduce((sum, name) => sum + (files[`src/${name}.js`] ?? '').split('\n').length, 0)
}

/** A model that is asked for a file when the job is stopped. */
const stoppingAt = (path: string, stop: AbortController) =>
  createAnsweringModel(async (request, signal) => {
    if (askedOf(request).path === path) {
      stop.abort()
      await aborted(signal)
    }
    return improvedAnswer(request)
  })

/** Resolves when the call is broken off, as a real model's is. */
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
