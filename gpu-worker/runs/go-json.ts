import * as v from 'valibot'
import {
  DETAIL_CHARACTERS_MAX,
  type Reading,
  type ReportedTest,
  type RunPlace,
  toFile,
  toMessage,
  toName,
} from './report.ts'

/** Of a package's or a test's name, and of the tests in tests that it tells of: each part of it is looked up. */
const NAME_CHARACTERS_MAX = 2000
const NAME_PARTS_MAX = 100
/** Of the places that the words of a failed test name, from the last on. */
const PLACES_MAX = 20

const Name = v.pipe(
  v.string(),
  v.maxLength(NAME_CHARACTERS_MAX),
  v.check((name) => name.split('/').length <= NAME_PARTS_MAX),
)
const Event = v.object({
  Action: v.string(),
  Package: v.optional(Name),
  /** Of what was compiled, in events of a build. */
  ImportPath: v.optional(v.string()),
  Test: v.optional(Name),
  Output: v.optional(v.string()),
  /** Set where a package failed because it could not be built. */
  FailedBuild: v.optional(v.string()),
})
type Event = v.InferOutput<typeof Event>

/** How a test or a package ends. */
const ENDS = new Set(['pass', 'fail', 'skip'])

interface Seen {
  readonly package: string
  /** Null for the package itself. */
  readonly test: string | null
  end: string | null
  output: string
  failedBuild: string | null
}

/**
 * Reads the events of `go test -json`. A test with subtests counts only where it failed by itself; a test that did not end,
 * and a package that failed without one that did (it could not be built, say), is a failed test.
 */
export function readGoEvents(text: string, place: RunPlace): Reading {
  const seen = new Map<string, Seen>()
  const builds = new Map<string, string>()
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) {
      // Words of the go command itself. Before 1.24 it says so that a package could not be built.
      const name = /^FAIL\t(\S+) \[(?:build|setup) failed\]$/.exec(line)?.[1]
      if (name !== undefined) seen.set(keyOf(name, null), broken(name))
      continue
    }
    const event = parseEvent(line)
    if (event === null) return { fault: 'one of its lines is no event of go test' }
    if (event.Action === 'build-output') append(builds, event.ImportPath ?? '', event.Output ?? '')
    else if (event.Package !== undefined) note(seen, event, event.Package)
  }
  const all = [...seen.values()]
  const packages = all.filter(({ test }) => test === null)
  if (packages.some(({ end }) => end === null) || all.some((each) => !seen.has(keyOf(each.package, null))))
    return { fault: 'it ends in the middle of a package' }
  const tests = leaves(all).map((each) => toTest(each, place))
  const failing = new Set(
    all.filter(({ test, end }) => test !== null && end !== 'pass' && end !== 'skip').map((each) => each.package),
  )
  const others = packages.filter((each) => each.end === 'fail' && !failing.has(each.package))
  return { tests: [...tests, ...others.map((each) => toBroken(each, builds, place))] }
}

function parseEvent(line: string): Event | null {
  try {
    const event = v.safeParse(Event, JSON.parse(line))
    return event.success ? event.output : null
  } catch {
    return null
  }
}

const broken = (name: string): Seen => ({
  package: name,
  test: null,
  end: 'fail',
  output: 'It could not be built: see the output',
  failedBuild: null,
})

const keyOf = (name: string, test: string | null): string => `${name}\n${test ?? ''}`

function append(texts: Map<string, string>, key: string, text: string): void {
  texts.set(key, join(texts.get(key) ?? '', text))
}

const join = (before: string, text: string): string =>
  before.length < DETAIL_CHARACTERS_MAX ? (before + text).slice(0, DETAIL_CHARACTERS_MAX) : before

function note(seen: Map<string, Seen>, event: Event, name: string): void {
  const test = event.Test ?? null
  const key = keyOf(name, test)
  const known = seen.get(key) ?? { package: name, test, end: null, output: '', failedBuild: null }
  seen.set(key, known)
  if (ENDS.has(event.Action)) known.end = event.Action
  if (event.FailedBuild !== undefined) known.failedBuild = event.FailedBuild
  if (event.Action === 'output') known.output = join(known.output, event.Output ?? '')
}

/** Tests without subtests, and those that failed although none of their subtests did. */
function leaves(all: readonly Seen[]): Seen[] {
  const tests = all.filter(({ test }) => test !== null)
  const parents = new Map<string, boolean>()
  for (const each of tests) {
    for (let name = each.test ?? '', at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/')) {
      name = name.slice(0, at)
      const key = keyOf(each.package, name)
      parents.set(key, (parents.get(key) ?? false) || each.end === 'fail' || each.end === null)
    }
  }
  return tests.filter((each) => {
    const hasFailedSubtest = parents.get(keyOf(each.package, each.test))
    if (hasFailedSubtest === undefined) return true
    return !hasFailedSubtest && each.end !== 'pass' && each.end !== 'skip'
  })
}

function toTest({ package: name, test, end, output }: Seen, place: RunPlace): ReportedTest {
  const shown = toName(`${name} ${test}`)
  if (end === 'pass') return { name: shown, outcome: 'passed', failure: null }
  if (end === 'skip') return { name: shown, outcome: 'skipped', failure: null }
  const text = end === null ? `It did not end.\n${output}` : withoutFrame(output)
  return {
    name: shown,
    outcome: 'failed',
    failure: () => ({ ...findSpot(name, text, place), message: toMessage(text, place) }),
  }
}

function toBroken(
  { package: name, failedBuild, output }: Seen,
  builds: ReadonlyMap<string, string>,
  place: RunPlace,
): ReportedTest {
  const text = failedBuild === null ? withoutFrame(output) : (builds.get(failedBuild) ?? output)
  const message = toMessage(text, place) || 'It failed outside its tests'
  return { name: toName(name), outcome: 'failed', failure: () => ({ ...findSpot(name, text, place), message }) }
}

/** What go itself prints around a test's own words. */
const withoutFrame = (output: string): string =>
  output.replaceAll(/^[ \t]*(?:=== \w+.*|--- \w+: .*|FAIL\b.*|PASS|exit status \d+)\n/gm, '')

/**
 * The last place in the repository that a text names: a compiler's path, a goroutine's absolute one, or the plain name of a
 * file in the package's folder, as a test says it.
 */
function findSpot(name: string, text: string, place: RunPlace): { file: string | null; line: number | null } {
  const places = [...text.matchAll(/(?:^|[\s(])([^\s:()]{1,300}\.go):(\d{1,9})(?=:| \+0x)/gm)].reverse()
  for (const [, path = '', line] of places.slice(0, PLACES_MAX)) {
    const file = path.includes('/') ? toFile(path, place) : inPackage(name, path, place)
    if (file !== null && place.paths.includes(file)) return { file, line: Number(line) }
  }
  return { file: null, line: null }
}

/** `example.com/module/inner` lies in `inner`, wherever the module begins. */
function inPackage(name: string, file: string, { folder, paths }: RunPlace): string | null {
  const names = name.split('/')
  for (const index of names.keys()) {
    const path = [folder, ...names.slice(index), file].filter((part) => part !== '').join('/')
    if (paths.includes(path)) return path
  }
  const top = folder === '' ? file : `${folder}/${file}`
  return paths.includes(top) ? top : null
}
