import { describe, expect, it } from 'vitest'
import { readPreCommit } from './pre-commit-program.ts'
import type { HookRunOutcome } from './scratch-copy.ts'

const said = (status: number, output: string): HookRunOutcome => ({
  outcome: { kind: 'ended', status, output, whole: output, report: null, root: '/repository', durationMs: 1 },
  output,
  isWhole: true,
  changed: [],
})

/** As pre-commit 3.0.4 prints it with --verbose. */
const OUTPUT = `Check Yaml...........................................(no files to check)Skipped
- hook id: check-yaml
Trim Trailing Whitespace.................................................Failed
- hook id: trailing-whitespace
- duration: 0.04s
- exit code: 1
- files were modified by this hook

Fixing src/a.py
Looks like a header..........................................Passed
- exit code: 0

mypy.....................................................................Passed
- hook id: mypy
- duration: 1.2s

Success: no issues found in 1 source file
`

describe('readPreCommit', () => {
  it('tells of each hook what pre-commit tells', () => {
    expect(readPreCommit(said(1, OUTPUT))).toEqual([
      { id: 'check-yaml', name: 'Check Yaml', passed: null, output: 'no files to check' },
      {
        id: 'trailing-whitespace',
        name: 'Trim Trailing Whitespace',
        passed: false,
        output:
          'exit code: 1\nfiles were modified by this hook\n\nFixing src/a.py\nLooks like a header..........................................Passed\n- exit code: 0',
      },
      { id: 'mypy', name: 'mypy', passed: true, output: 'Success: no issues found in 1 source file' },
    ])
  })

  it('takes no verdict from what does not agree, is cut, or is an error of its own', () => {
    const unavailable = expect.objectContaining({ code: 'unavailable' })
    expect(() => readPreCommit(said(0, OUTPUT))).toThrow(unavailable)
    expect(() => readPreCommit(said(0, ''))).toThrow(unavailable)
    expect(() => readPreCommit(said(3, OUTPUT))).toThrow(unavailable)
    expect(() => readPreCommit({ ...said(1, OUTPUT), isWhole: false })).toThrow(unavailable)
    const stopped = {
      kind: 'stopped',
      why: 'time',
      limit: 'it did not end within 600 s',
      output: '',
      whole: '',
      report: null,
      root: '/repository',
      durationMs: 1,
    } as const
    expect(() => readPreCommit({ ...said(1, OUTPUT), outcome: stopped })).toThrow('600 s')
  })

  it('says so where an environment is missing', () => {
    const output =
      '[INFO] Initializing environment for https://host.invalid/x.\nAn unexpected error has occurred: CalledProcessError'
    expect(() => readPreCommit(said(3, output))).toThrow(
      expect.objectContaining({ code: 'unavailable', hint: expect.stringContaining('pre-commit install-hooks') }),
    )
  })
})
