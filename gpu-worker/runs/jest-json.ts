import * as v from 'valibot'
import {
  DETAIL_CHARACTERS_MAX,
  type FailureDetails,
  type Reading,
  type ReportedTest,
  type RunPlace,
  toFile,
  toMessage,
  toName,
} from './report.ts'

// The form is jest's; vitest's JSON reporter writes the same.

const Assertion = v.object({
  ancestorTitles: v.array(v.string()),
  title: v.string(),
  status: v.picklist(['passed', 'failed', 'skipped', 'pending', 'todo', 'disabled', 'focused']),
  failureMessages: v.nullish(v.array(v.string()), []),
  location: v.nullish(v.object({ line: v.number() })),
})
const TestFile = v.object({
  name: v.string(),
  status: v.string(),
  message: v.nullish(v.string(), ''),
  assertionResults: v.array(Assertion),
})
const JestReport = v.object({
  success: v.boolean(),
  numTotalTests: v.number(),
  numPassedTests: v.number(),
  numFailedTests: v.number(),
  testResults: v.array(TestFile),
})
type Assertion = v.InferOutput<typeof Assertion>
type TestFile = v.InferOutput<typeof TestFile>

/** Reads the JSON report of jest or vitest. A file that could not be run is a failed test that is named after it. */
export function readJestReport(text: string, place: RunPlace): Reading {
  const report = v.safeParse(JestReport, parseJson(text))
  if (!report.success) return { fault: 'it is no JSON report of tests' }
  const { testResults, numTotalTests, numPassedTests, numFailedTests, success } = report.output
  const assertions = testResults.flatMap(({ assertionResults }) => assertionResults)
  const count = (status: Assertion['status']): number => assertions.filter((each) => each.status === status).length
  if (assertions.length !== numTotalTests || count('passed') !== numPassedTests || count('failed') !== numFailedTests)
    return { fault: 'its counts are not those of its tests' }
  const tests = testResults.flatMap((file) => toTests(file, place))
  // A snapshot that nothing uses, an error outside all tests: told by the exit status as well.
  if (success && tests.some(({ outcome }) => outcome === 'failed'))
    return { fault: 'it claims success although tests failed' }
  return { tests }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function toTests(result: TestFile, place: RunPlace): ReportedTest[] {
  const file = toFile(result.name, place)
  const tests = result.assertionResults.map((each) => toTest(each, file, place))
  if (result.status !== 'failed' || tests.some(({ outcome }) => outcome === 'failed')) return tests
  const failure = () => toDetails(result.message, file, null, place)
  return [...tests, { name: toName(file ?? result.name), outcome: 'failed', failure }]
}

function toTest(each: Assertion, file: string | null, place: RunPlace): ReportedTest {
  // vitest begins with an unnamed suite, which is the file.
  const titles = [...each.ancestorTitles, each.title].filter((title) => title !== '')
  const name = toName([...(file === null ? [] : [file]), ...titles].join(' > '))
  if (each.status === 'passed') return { name, outcome: 'passed', failure: null }
  if (each.status !== 'failed') return { name, outcome: 'skipped', failure: null }
  const failure = () => toDetails(each.failureMessages.join('\n'), file, each.location?.line ?? null, place)
  return { name, outcome: 'failed', failure }
}

function toDetails(text: string, file: string | null, begin: number | null, place: RunPlace): FailureDetails {
  const message = text.slice(0, DETAIL_CHARACTERS_MAX)
  return { file, line: findLine(message, file, place) ?? begin, message: toMessage(withoutStack(message), place) }
}

/** The first line of the test file that a stack names. */
function findLine(message: string, file: string | null, place: RunPlace): number | null {
  for (const [, path, line] of message.matchAll(/((?:file:\/\/)?\/[^\s():]{1,300}):(\d+):\d+/g))
    if (file !== null && toFile(path ?? '', place) === file) return Number(line)
  return null
}

const withoutStack = (message: string): string =>
  message
    .split('\n')
    .filter((line) => !/^\s+at .+:\d+:\d+\)?$/.test(line))
    .join('\n')
