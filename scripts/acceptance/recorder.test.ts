import assert from 'node:assert/strict'
import { describe, expect, it } from 'vitest'
import { createRecorder, Skipped } from './recorder.ts'

async function record(work: Parameters<ReturnType<typeof createRecorder>['suite']>[1]) {
  const said: string[] = []
  const recorder = createRecorder((line) => said.push(line))
  await recorder.suite('S', work)
  return { cases: recorder.suites[0]?.cases ?? [], said }
}

async function inAssertion(asserts: () => void): Promise<undefined> {
  asserts()
}

describe('the recorder', () => {
  it('keeps what passed, failed and was skipped, with what was seen', async () => {
    const passed: boolean[] = []
    const { cases, said } = await record(async ({ run }) => {
      passed.push(await run({ name: 'a' }, async () => 'seen'))
      passed.push(
        await run({ name: 'b', severity: 'LOW', steps: ['x', 'y'] }, () => inAssertion(() => assert.equal(1, 2))),
      )
      passed.push(await run({ name: 'c' }, () => Promise.reject(new Skipped('no tool'))))
      passed.push(await run({ name: 'd' }, () => Promise.reject(new Error('\u001b[31mred\u001b[39m'))))
    })
    expect(passed).toEqual([true, false, false, false])
    expect(cases).toMatchObject([
      { name: 'a', status: 'PASS', notes: 'seen', severity: 'HIGH', steps: ['a'], durationMs: expect.any(Number) },
      {
        name: 'b',
        status: 'FAIL',
        severity: 'LOW',
        steps: ['x', 'y'],
        error: 'The answer is not the expected one',
        expected: '2',
        actual: '1',
      },
      { name: 'c', status: 'SKIPPED', notes: 'no tool' },
      { name: 'd', status: 'FAIL', error: 'red', expected: undefined },
    ])
    expect(said.join('\n')).toMatch(/^\nS\n {2}PASS a \(\d+ ms\): seen\n {2}FAIL b /)
  })

  it('says in words what only had to be true, and cuts what is too long', async () => {
    const { cases } = await record(async ({ run }) => {
      await run({ name: 'a' }, () => inAssertion(() => assert.ok(false, 'There is no User')))
      await run({ name: 'b' }, async () => 'x'.repeat(5000))
    })
    expect(cases[0]).toMatchObject({ error: 'There is no User', expected: undefined, actual: undefined })
    expect(cases[1]?.notes).toMatch(/^x{2000} \[and 3000 more characters\]$/)
  })

  it('counts a suite that fails outside of its cases', async () => {
    const { cases } = await record(() => Promise.reject(new Error('no server')))
    expect(cases).toMatchObject([{ status: 'FAIL', error: 'no server', severity: 'HIGH' }])
  })
})
