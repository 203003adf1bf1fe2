import { type JunitCase, parseJunit } from './junit.ts'
import {
  DETAIL_CHARACTERS_MAX,
  joinNames,
  type Reading,
  type ReportedTest,
  type RunPlace,
  toFile,
  toMessage,
  toName,
} from './report.ts'

/** Reads what `node --test --test-reporter=junit` writes. Node names the file of a test from version 22 on. */
export function readNodeReport(xml: string, place: RunPlace): Reading {
  const junit = parseJunit(xml)
  if ('fault' in junit) return junit
  const tests: ReportedTest[] = []
  const untested: string[] = []
  for (const each of junit.cases) {
    // A file in which nothing was tested is reported as a test that passed.
    const empty = each.problem === null ? wholeFile(each, place) : null
    if (empty === null) tests.push(toTest(each, place))
    else untested.push(empty)
  }
  return { tests, untested }
}

/** The file that a test stands for, whose path is its name; null for a test in a file. */
function wholeFile({ suites, attributes: { name = '', file } }: JunitCase, place: RunPlace): string | null {
  const path = suites.length === 0 ? toFile(name, place) : null
  const isPath = name.startsWith(`${place.root}/`) || (file !== undefined && toFile(file, place) === path)
  return isPath ? path : null
}

function toTest(each: JunitCase, place: RunPlace): ReportedTest {
  const { suites, attributes, problem, isSkipped } = each
  const { name: own = '' } = attributes
  const whole = wholeFile(each, place)
  const file = whole ?? (attributes.file === undefined ? null : toFile(attributes.file, place))
  const titles = [...(file === null ? [] : [file]), ...suites, ...(whole === null ? [own] : [])]
  const name = toName(joinNames(titles, ' > '))
  // A test that is still to be done may fail, which node reports as both.
  if (isSkipped) return { name, outcome: 'skipped', failure: null }
  if (problem === null) return { name, outcome: 'passed', failure: null }
  const failure = () => ({
    ...(findSpot(problem.text.slice(0, DETAIL_CHARACTERS_MAX), place) ?? { file, line: null }),
    message: toMessage(problem.message || firstLines(problem.text), place),
  })
  return { name, outcome: 'failed', failure }
}

/** What stands before the stack. */
const firstLines = (text: string): string => text.split(/\n\s+at /, 1)[0] ?? ''

/** The first place of a stack that lies in the repository. */
function findSpot(text: string, place: RunPlace): { file: string; line: number } | null {
  for (const [, path, line] of text.matchAll(
    /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^\n()]{1,300}?):(\d+):\d+\)?$/gm,
  )) {
    const file = toFile(path ?? '', place)
    if (file !== null) return { file, line: Number(line) }
  }
  return null
}
