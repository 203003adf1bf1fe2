import { type JunitCase, type JunitProblem, parseJunit } from './junit.ts'
import {
  DETAIL_CHARACTERS_MAX,
  type Reading,
  type ReportedTest,
  type RunPlace,
  toFile,
  toMessage,
  toName,
} from './report.ts'

/**
 * Reads what `pytest --junitxml` writes in its form `xunit1`, which names files. What could not be collected is a failed
 * test that is named after its module.
 */
export function readPytestReport(xml: string, place: RunPlace): Reading {
  const junit = parseJunit(xml)
  if ('fault' in junit) return junit
  const { cases, claims } = junit
  if (claims === null) return { fault: 'it counts nothing' }
  const count = (isCounted: (each: JunitCase) => boolean): number => cases.filter(isCounted).length
  const isAgreed =
    claims.failures === count(({ problem }) => problem?.kind === 'failure') &&
    claims.errors === count(({ problem }) => problem?.kind === 'error') &&
    claims.skipped === count(({ isSkipped }) => isSkipped)
  return isAgreed
    ? { tests: cases.map((each) => toTest(each, place)) }
    : { fault: 'its counts are not those of its tests' }
}

function toTest({ attributes, problem, isSkipped }: JunitCase, place: RunPlace): ReportedTest {
  const file = attributes.file === undefined ? null : toFile(attributes.file, place)
  const name = toName(nodeId(file, attributes))
  if (problem === null) return { name, outcome: isSkipped ? 'skipped' : 'passed', failure: null }
  // pytest counts lines from 0 there.
  const begin = /^\d{1,9}$/.test(attributes.line ?? '') ? Number(attributes.line) + 1 : null
  const failure = () => ({
    ...(findSpot(problem, place) ?? { file, line: begin }),
    message: toMessage(describe(problem), place),
  })
  return { name, outcome: 'failed', failure }
}

/** As pytest itself names a test: `tests/test_a.py::TestSums::test_two[1]`. */
function nodeId(file: string | null, { classname = '', name = '' }: JunitCase['attributes']): string {
  if (file === null) return [classname, name].filter((part) => part !== '').join('.')
  const module = file.replace(/\.py$/, '').replaceAll('/', '.')
  const within =
    classname === module ? [] : classname.startsWith(`${module}.`) ? classname.slice(module.length + 1).split('.') : []
  return [file, ...within, name].join('::')
}

/** The innermost place of a traceback that lies in the repository. */
function findSpot({ text }: JunitProblem, place: RunPlace): { file: string; line: number } | null {
  const lines = [
    ...text
      .slice(-DETAIL_CHARACTERS_MAX)
      .matchAll(/^(?:E\s+File "([^"\n]+)", line (\d+)|([^\s:][^:\n]*\.py):(\d+):)/gm),
  ]
  for (const [, quoted, quotedLine, plain, plainLine] of lines.reverse()) {
    const file = toFile(quoted ?? plain ?? '', place)
    if (file !== null && !file.includes('site-packages/')) return { file, line: Number(quotedLine ?? plainLine) }
  }
  return null
}

/** What pytest marks with `E` is the failure itself; the rest is the code around it. */
function describe({ message, text }: JunitProblem): string {
  const marked = text
    .slice(-DETAIL_CHARACTERS_MAX)
    .split('\n')
    .filter((line) => /^E(?:\s|$)/.test(line))
    .map((line) => line.replace(/^E {0,7}/, ''))
  return marked.length === 0 ? message || text : marked.join('\n')
}
