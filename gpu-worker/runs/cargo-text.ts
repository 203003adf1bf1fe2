import {
  DETAIL_CHARACTERS_MAX,
  type Reading,
  type ReportedTest,
  type RunPlace,
  toFile,
  toMessage,
  toName,
} from './report.ts'

// Stable cargo has no other form for machines. These lines are documented (The Rust Programming Language, chapter 11; The
// rustc book, "Tests") and have been the same since 2015: `running N tests`, `test NAME ... ok|FAILED|ignored`, a section
// with the output of each test that failed, and `test result: ok|FAILED. N passed; N failed; N ignored; ...`.

interface Binary {
  /** As cargo calls it: `src/lib.rs`, `tests/it.rs`, `doc NAME`. */
  readonly name: string
  announced: number
  readonly outcomes: Map<string, ReportedTest['outcome']>
  readonly outputs: Map<string, string>
  result: { readonly passed: number; readonly failed: number; readonly ignored: number } | null
}

/** Nothing that cargo or a test harness says by itself is longer. */
const LINE_CHARACTERS_MAX = 4000

/**
 * Reads what `cargo test` prints, standard error with it. What each binary announces, lists and adds up must agree: one that
 * ended in the middle of its tests is a fault. Where nothing could be compiled, that is one failed test.
 */
export function readCargoText(text: string, place: RunPlace): Reading {
  const binaries = toBinaries(text)
  for (const binary of binaries) {
    const fault = faultOf(binary)
    if (fault !== null) return { fault: `${binary.name}: ${fault}` }
  }
  const tests = binaries.flatMap((binary) => toTests(binary, place))
  return { tests: [...tests, ...compileErrors(text, place)] }
}

function toBinaries(text: string): Binary[] {
  const binaries: Binary[] = []
  let name = 'tests'
  let current: Binary | null = null
  let section: string | null = null
  for (const whole of text.split('\n')) {
    const line = whole.slice(0, LINE_CHARACTERS_MAX)
    name = heading(line) ?? name
    const running = /^running (\d+) tests?$/.exec(line)
    if (running !== null) {
      current = { name, announced: Number(running[1]), outcomes: new Map(), outputs: new Map(), result: null }
      binaries.push(current)
      section = null
      continue
    }
    if (current === null || current.result !== null) continue
    const result = /^test result: (?:ok|FAILED)\. (\d+) passed; (\d+) failed; (\d+) ignored;/.exec(line)
    if (result !== null) {
      current.result = { passed: Number(result[1]), failed: Number(result[2]), ignored: Number(result[3]) }
      continue
    }
    const begun = /^---- (.+) stdout ----$/.exec(line)?.[1]
    if (begun !== undefined) section = begun
    else if (line === 'failures:' || line === 'successes:') section = ''
    else if (section === null) noteTest(current, line)
    else if (section !== '') addOutput(current, section, line)
  }
  return binaries
}

/** `Running unittests src/lib.rs (target/debug/deps/x-1f)`, `Running tests/it.rs (...)`, `Doc-tests x`. */
function heading(line: string): string | null {
  const running = /^\s+Running (?:unittests )?(\S+)(?: \(.*\))?$/.exec(line)?.[1]
  if (running !== undefined) return running
  const doc = /^\s+Doc-tests (\S+)$/.exec(line)?.[1]
  return doc === undefined ? null : `doc ${doc}`
}

function noteTest(binary: Binary, line: string): void {
  const dots = line.indexOf(' ... ')
  if (dots === -1) return
  const name = /^test (.+?)(?: - should panic)?$/.exec(line.slice(0, dots))?.[1]
  // What a test wrote to the terminal itself may stand before the word.
  const word = /^.*(ok|FAILED|ignored)(?:, .*| <[\d.]+s>)?$/.exec(line.slice(dots + 5))?.[1]
  if (name === undefined || word === undefined) return
  binary.outcomes.set(name, word === 'ok' ? 'passed' : word === 'ignored' ? 'skipped' : 'failed')
}

function addOutput(binary: Binary, test: string, line: string): void {
  const before = binary.outputs.get(test) ?? ''
  if (before.length < DETAIL_CHARACTERS_MAX) binary.outputs.set(test, `${before}${line}\n`)
}

function faultOf({ announced, outcomes, result }: Binary): string | null {
  if (result === null) return 'it ended in the middle of its tests'
  const count = (wanted: ReportedTest['outcome']): number =>
    [...outcomes.values()].filter((outcome) => outcome === wanted).length
  const isAgreed =
    outcomes.size === announced &&
    count('passed') === result.passed &&
    count('failed') === result.failed &&
    count('skipped') === result.ignored
  return isAgreed ? null : 'its counts are not those of its tests'
}

function toTests({ name, outcomes, outputs }: Binary, place: RunPlace): ReportedTest[] {
  return [...outcomes].map(([test, outcome]) => {
    const shown = toName(`${name} ${test}`)
    if (outcome !== 'failed') return { name: shown, outcome, failure: null }
    const text = outputs.get(test) ?? ''
    const failure = () => ({ ...findSpot(test, text, place), message: toMessage(withoutNotes(text), place) })
    return { name: shown, outcome, failure }
  })
}

/**
 * Where a panic says that it happened; the form of its line changed with Rust 1.73. An example in a comment is compiled by
 * itself, and its name has its place.
 */
function findSpot(test: string, text: string, place: RunPlace): { file: string | null; line: number | null } {
  const begin = text.indexOf('panicked at ')
  const panic = begin === -1 ? '' : text.slice(begin)
  const [, path, line] =
    /^(\S+\.rs) - .*\(line (\d+)\)$/.exec(test) ??
    /^panicked at ([^\s:][^:\n]{0,300}\.rs):(\d+):\d+/.exec(panic) ??
    [...panic.matchAll(/', ([^\s:][^:\n]{0,300}\.rs):(\d+):\d+/g)].at(-1) ??
    []
  const file = path === undefined ? null : toFile(path, place)
  return { file, line: file === null ? null : Number(line) }
}

const withoutNotes = (text: string): string =>
  text
    .split('stack backtrace:\n', 1)
    .join('')
    .replaceAll(/^(?:note: run with `RUST_BACKTRACE.*|[ \t]*)\n/gm, '')

/** One failed test for each crate or test binary that the compiler refused. */
function compileErrors(text: string, place: RunPlace): ReportedTest[] {
  const refused = [...text.matchAll(/^error: could not compile `([^`\n]+)`(?: \(([^)\n]+)\))?/gm)]
  if (refused.length === 0) return []
  const begin = text.search(/^error(?:\[\w+\])?: /m)
  const errors = text.slice(begin, begin + DETAIL_CHARACTERS_MAX)
  const [, path, line] = /^ *--> ([^\s:]+):(\d+):\d+$/m.exec(errors) ?? []
  const file = path === undefined ? null : toFile(path, place)
  const failure = () => ({ file, line: file === null ? null : Number(line), message: toMessage(errors, place) })
  return refused.map(([, crate = '', what]) => ({
    name: toName(what === undefined ? crate : `${crate} (${what})`),
    outcome: 'failed',
    failure,
  }))
}
