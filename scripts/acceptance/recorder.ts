import { AssertionError } from 'node:assert'
import type { IssueSeverity } from './report-form.ts'

/** What a case throws that could not be run here. Its message is the reason. */
export class Skipped extends Error {
  override readonly name = 'Skipped'
}

export interface CaseOptions {
  readonly name: string
  /** Of the issue that a failure is; HIGH, which blocks, where left out. */
  readonly severity?: IssueSeverity
  /** What a person would do to see the same; the name where left out. */
  readonly steps?: readonly string[]
}

export interface CaseRecord {
  readonly name: string
  readonly status: 'PASS' | 'FAIL' | 'SKIPPED'
  readonly durationMs: number
  readonly severity: IssueSeverity
  readonly steps: readonly string[]
  /** What was seen, or the reason of the skip. */
  readonly notes: string | undefined
  readonly error: string | undefined
  readonly expected: string | undefined
  readonly actual: string | undefined
}

export interface SuiteRecord {
  readonly name: string
  readonly cases: readonly CaseRecord[]
}

export interface SuiteRecorder {
  /**
   * Does the work of one case and notes how it went; never rejects. What the work returns is what was seen, for the notes.
   * Resolves to whether it passed.
   */
  run(options: CaseOptions, work: () => Promise<string | undefined>): Promise<boolean>
}

export interface Recorder {
  readonly suites: readonly SuiteRecord[]
  /** A work that rejects outside of its cases is a failed case of the suite. */
  suite(name: string, work: (suite: SuiteRecorder) => Promise<void>): Promise<void>
}

const TEXT_CHARACTERS_MAX = 2000

/** Keeps what was run, in order. `say` is told a line for each suite and case. */
export function createRecorder(say: (line: string) => void): Recorder {
  const suites: { name: string; cases: CaseRecord[] }[] = []
  return {
    suites,
    async suite(name, work) {
      const cases: CaseRecord[] = []
      suites.push({ name, cases })
      say(`\n${name}`)
      const keep = (record: CaseRecord): void => {
        cases.push(record)
        const note = record.error ?? record.notes
        say(
          `  ${record.status} ${record.name} (${record.durationMs} ms)${note === undefined ? '' : `: ${firstLine(note)}`}`,
        )
      }
      const run: SuiteRecorder['run'] = async (options, work) => {
        const record = await runCase(options, work)
        keep(record)
        return record.status === 'PASS'
      }
      try {
        await work({ run })
      } catch (error) {
        keep(await runCase({ name: 'The suite itself' }, () => Promise.reject(error)))
      }
    },
  }
}

async function runCase(options: CaseOptions, work: () => Promise<string | undefined>): Promise<CaseRecord> {
  const { name, severity = 'HIGH', steps = [name] } = options
  const begun = performance.now()
  const end = (status: CaseRecord['status'], more: Partial<CaseRecord>): CaseRecord => ({
    name,
    status,
    durationMs: Math.round(performance.now() - begun),
    severity,
    steps,
    notes: undefined,
    error: undefined,
    expected: undefined,
    actual: undefined,
    ...more,
  })
  try {
    const seen = await work()
    return end('PASS', seen === undefined || seen === '' ? {} : { notes: cut(seen) })
  } catch (error) {
    if (error instanceof Skipped) return end('SKIPPED', { notes: cut(error.message) })
    return end('FAIL', describeFailure(error))
  }
}

function describeFailure(error: unknown): Pick<CaseRecord, 'error' | 'expected' | 'actual'> {
  const message = cut(plain(error instanceof Error ? error.message : String(error)))
  // What only had to be true has nothing to compare.
  if (!(error instanceof AssertionError) || error.operator === '==') {
    return { error: message, expected: undefined, actual: undefined }
  }
  return {
    error: error.generatedMessage ? 'The answer is not the expected one' : message,
    expected: cut(show(error.expected)),
    actual: cut(show(error.actual)),
  }
}

/** Playwright colours its messages. */
const plain = (text: string): string => text.replaceAll(/\u001b\[[0-9;]*m/g, '').trim() || 'It failed without a word'

const show = (value: unknown): string =>
  typeof value === 'string' ? value || '(empty)' : (JSON.stringify(value) ?? String(value))

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

const cut = (text: string): string =>
  text.length <= TEXT_CHARACTERS_MAX
    ? text
    : `${text.slice(0, TEXT_CHARACTERS_MAX)} [and ${text.length - TEXT_CHARACTERS_MAX} more characters]`
