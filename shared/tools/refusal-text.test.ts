import { describe, expect, it } from 'vitest'
import { AppError } from '../errors.ts'
import { createJobId } from '../ids.ts'
import { findTool, toolToText } from './catalogue.ts'
import { refusalToText } from './refusal-text.ts'

const checks = {
  passed: false,
  ran: ['syntax'],
  skipped: [],
  violations: [{ rule: 'syntax', severity: 'error', message: 'A bracket is open', line: 3, column: null }],
}

describe('the text of a refusal', () => {
  it('has what to do next, the checks that failed, and the diff', () => {
    const details = { checks, diff: '+def (\n' }
    const refusal = new AppError('checks_failed', 'Cannot write "a.py"', { hint: 'Mend it', details })
    const text = refusalToText(refusal.toWire())
    expect(text).toMatch(/^checks_failed: Cannot write "a\.py"\. Mend it\n/)
    expect(text).toContain('- error syntax (line 3): A bracket is open')
    expect(text).toContain('+def (')
  })

  it('names all that is wrong with a template, where that is more than one thing', () => {
    const problems = [
      { where: 'outputs.0.path', message: 'undefined filter: x', hint: 'h' },
      { where: 'variables.n', message: 'is used nowhere', hint: 'h' },
    ]
    const of = (count: number) =>
      refusalToText(
        new AppError('checks_failed', 'Cannot write', { details: { problems: problems.slice(0, count) } }).toWire(),
      )
    expect(of(2)).toBe(
      'checks_failed: Cannot write\n- outputs.0.path: undefined filter: x\n- variables.n: is used nowhere',
    )
    expect(of(1)).toBe('checks_failed: Cannot write')
  })

  it('tells what became of each step of an orchestrated improvement', () => {
    const step = {
      path: 'a.py',
      action: 'generate_tests',
      why: 'Nothing tests it',
      state: 'not_kept',
      note: 'The tests did not pass',
      agent_id: null,
      agent_made: false,
      before: null,
      after: null,
      proof: [],
      tokens: 12,
      commit: null,
    }
    const report = {
      goal: null,
      ended_by: 'done',
      files_measured: 1,
      steps: [step],
      steps_left: 0,
      kept: 0,
      reverted: 0,
      budget: { iterations: 20, minutes: 30, tokens: null },
      used: { iterations: 1, seconds: 3, tokens: 12 },
      tests: { before: null, after: null, broken: [], note: 'No tests were found' },
      usage: {
        prompt_tokens: 9,
        completion_tokens: 3,
        time_to_first_token_ms: null,
        tokens_per_second: null,
        model: 'demo',
      },
    }
    const refusal = new AppError('checks_failed', 'Cannot improve anything', { details: { report } })
    expect(refusalToText(refusal.toWire())).toContain('\n- not_kept generate_tests a.py\n  The tests did not pass\n')
  })

  it('is the same when get_job tells it', () => {
    const error = new AppError('unavailable', 'Cannot run', { hint: 'Install it', details: { checks } }).toWire()
    const job = { job_id: createJobId(0), tool: 'run_tests', agent_id: null, state: 'failed', error }
    const getJob = findTool('get_job')
    if (getJob === undefined) throw new Error('No get_job')
    expect(toolToText(getJob, { job, state: 'failed', progress: null, result: null, error })).toBe(
      `${job.job_id} run_tests failed: unavailable\n${refusalToText(error)}`,
    )
  })
})

describe('validate_template', () => {
  it('says a hint that several problems share once', () => {
    const problems = ['a', 'b'].map((where) => ({ where, message: 'is wrong', hint: 'Tags: if' }))
    const tool = findTool('validate_template')
    if (tool === undefined) throw new Error('No validate_template')
    expect(toolToText(tool, { template: 't', valid: false, problems, rendered: [] })).toBe(
      't: not valid\n- a: is wrong. Tags: if\n- b: is wrong',
    )
  })
})
