import { describe, expect, it } from 'vitest'
import type { CommandOutcome } from '../ports/command-runner.ts'
import { readCargoText } from './cargo-text.ts'
import { toPlan } from './found-plan.ts'
import { readGoEvents } from './go-json.ts'
import { readNodeReport } from './node-test.ts'
import type { Reading, RunPlace } from './report.ts'
import { judgeRun } from './verdict.ts'

// Whatever a test writes, it can write into the report of its run. What is told here once took from ten seconds to hours, in
// which the worker did nothing else, or more memory than there is.

const place: RunPlace = { root: '/repository', folder: '', paths: ['src/lib.rs'] }
const testsOf = (reading: Reading) => ('fault' in reading ? reading.fault : reading.tests)

describe('a report that was made to be slow', () => {
  it('has a suite with a name of megabytes and thousands of tests', () => {
    const xml = `<testsuites><testsuite name="${'x'.repeat(4_000_000)}">${'<testcase/>'.repeat(100_000)}</testsuite></testsuites>`
    const tests = testsOf(readNodeReport(xml, place))
    expect(tests).toHaveLength(100_000)
    expect(tests[0]).toMatchObject({ name: expect.stringMatching(/^x{300}…$/) })
  })

  it('has tests of Go in tests without end', () => {
    const event = { Action: 'run', Package: 'p', Test: 'a/'.repeat(1_000_000) }
    const text = [event, { Action: 'pass', Package: 'p' }].map((each) => JSON.stringify(each)).join('\n')
    expect(testsOf(readGoEvents(text, place))).toBe('one of its lines is no event of go test')
  })

  it('has lines that look like tests of Rust again and again', () => {
    const text = `running 1 test\n${`test a${' ... okx'.repeat(490)}\n`.repeat(4000)}`
    expect(testsOf(readCargoText(text, place))).toBe('tests: it ended in the middle of its tests')
  })

  it('has panics of Rust that nearly name a place', () => {
    const panic = "panicked at '', a".repeat(230)
    const failed = `test a ... FAILED\n---- a stdout ----\n${panic}\n${panic}\n`
    const text = `running 1 test\n${failed}test result: FAILED. 0 passed; 1 failed; 0 ignored;\n`
    const tests = testsOf(readCargoText(text, place))
    const failures = typeof tests === 'string' ? [] : Array.from({ length: 50 }, () => tests[0]?.failure?.())
    expect(failures).toHaveLength(50)
    expect(failures[0]).toMatchObject({ file: null, line: null })
  })
})

describe('what the words of a run say', () => {
  it.each([
    ['test a ... noise ok, then FAILED', 'failed'],
    ['test a - should panic ... ok', 'passed'],
    ['test src/lib.rs - sum (line 3) ... ok <0.01s>', 'passed'],
    ['test a ... ignored, for later', 'skipped'],
  ])('is the last of them: %s', (line, outcome) => {
    const counts = ['passed', 'failed', 'skipped'].map((each) => (each === outcome ? 1 : 0))
    const result = `test result: ok. ${counts[0]} passed; ${counts[1]} failed; ${counts[2]} ignored;`
    expect(testsOf(readCargoText(`running 1 test\n${line}\n${result}\n`, place))).toMatchObject([{ outcome }])
  })

  it.each([
    ["thread 'a' panicked at src/lib.rs:7:9:\nassertion failed", 7],
    ["thread 'a' panicked at 'it said: no', src/lib.rs:8:9\nnote", 8],
    ["thread 'a' panicked at 'two\nlines', src/lib.rs:9:9", 9],
  ])('has the place of a panic: %s', (words, line) => {
    const failed = `test a ... FAILED\n---- a stdout ----\n${words}\n`
    const text = `running 1 test\n${failed}test result: FAILED. 0 passed; 1 failed; 0 ignored;\n`
    const tests = testsOf(readCargoText(text, place))
    expect(typeof tests === 'string' ? tests : tests[0]?.failure?.()).toMatchObject({ file: 'src/lib.rs', line })
  })

  it('never has the folder of the repository', () => {
    const plan = toPlan({ runner: 'cargo', folder: '', because: 'Cargo.toml', run: ['cargo', 'test'] })
    const text =
      '   Compiling demo v0.1.0 (/repository)\nrunning 1 test\ntest /repository/a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored;\n'
    const report = { bytes: text.length, text }
    const outcome: CommandOutcome = {
      kind: 'ended',
      status: 0,
      output: '',
      whole: '',
      report,
      root: '/repository',
      durationMs: 1,
    }
    const { output, tests } = judgeRun(plan, outcome, [])
    expect(output).toContain('Compiling demo v0.1.0 (.)')
    expect(JSON.stringify({ output, tests })).not.toContain('/repository')
  })
})
