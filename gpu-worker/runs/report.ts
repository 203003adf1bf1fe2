import { stripVTControlCharacters } from 'node:util'
import type { TestFailure, TestOutcome } from '../ports/test-suite.ts'
import { cutMiddle } from '../workspace/text.ts'

/** One test as its runner reports it. */
export interface ReportedTest {
  readonly name: string
  readonly outcome: TestOutcome
  /** Set where it failed. A report may hold thousands, and only those that are shown are looked at further. */
  readonly failure: (() => FailureDetails) | null
}

export type FailureDetails = Omit<TestFailure, 'name'>

/** What a report says, or why it cannot be believed whatever the exit status is. */
export type Reading =
  | {
      readonly tests: readonly ReportedTest[]
      /** Files that the runner ran to a good end without a test in them, as repository paths. */
      readonly untested?: readonly string[]
    }
  | { readonly fault: string }

/** Where a run took place, to tell repository paths from the ones that it reports. */
export interface RunPlace {
  /** The top folder of the repository as the runner saw it, absolute. */
  readonly root: string
  /** The repository path of the folder that it ran in; empty for the top. */
  readonly folder: string
  /** All files of the repository, for runners that tell only a file's name. */
  readonly paths: readonly string[]
}

/** Searched for the place of a failure, and shown less: the text is the runner's, and may be anything. */
export const DETAIL_CHARACTERS_MAX = 8000
const NAME_CHARACTERS_MAX = 300
const MESSAGE_CHARACTERS_MAX = 1000
/** What is unseen in a name goes before it is cut. */
const JOINED_CHARACTERS_MAX = 2 * NAME_CHARACTERS_MAX

/** A name that can be shown anywhere: one line, nothing that moves a cursor, cut. */
export function toName(text: string): string {
  const plain = stripVTControlCharacters(text)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, '\uFFFD')
  return plain.length > NAME_CHARACTERS_MAX ? `${plain.slice(0, NAME_CHARACTERS_MAX)}…`.toWellFormed() : plain
}

/**
 * The parts of a name, cut soon after `toName` shows no more of it: thousands of tests may stand in the same suite, whose name
 * is as long as whoever wrote the report likes.
 */
export function joinNames(parts: readonly string[], separator: string): string {
  let name = ''
  for (const [index, part] of parts.entries()) {
    if (name.length > JOINED_CHARACTERS_MAX) break
    name += `${index === 0 ? '' : separator}${part.slice(0, JOINED_CHARACTERS_MAX)}`
  }
  return name
}

/** A text without the folder of the run, which is nobody's business. */
export const withoutRoot = (text: string, { root }: RunPlace): string =>
  text.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '').replaceAll(root, '.')

/** Plain text of a failure with repository paths, cut in the middle where it is long. */
export function toMessage(text: string, place: RunPlace): string {
  const plain = withoutRoot(stripVTControlCharacters(text), place)
    .replaceAll('\r\n', '\n')
    .replaceAll(/(?![\n\t])\p{Cc}/gu, '')
    .trim()
  return cutMiddle(plain, MESSAGE_CHARACTERS_MAX * 0.6, MESSAGE_CHARACTERS_MAX * 0.4).toWellFormed()
}

/** The repository path of a file that a runner names, absolute or from its folder; null for what lies elsewhere. */
export function toFile(text: string, { root, folder }: RunPlace): string | null {
  const path = text.startsWith('file://') ? decode(text.slice('file://'.length)) : text
  if (path.startsWith('/')) return path.startsWith(`${root}/`) ? normal(path.slice(root.length + 1)) : null
  return normal(folder === '' ? path : `${folder}/${path}`)
}

function decode(url: string): string {
  try {
    return decodeURIComponent(url)
  } catch {
    return url
  }
}

/** Without `.` and `..`; null for what leads out or is no name. */
function normal(path: string): string | null {
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(name)
    else if (names.pop() === undefined) return null
  }
  return names.length === 0 || names.includes('node_modules') ? null : toName(names.join('/'))
}

/** Gives each test a name of its own: of equal ones the second is `NAME (2)`. */
export function withOwnNames(tests: readonly ReportedTest[]): ReportedTest[] {
  const seen = new Map<string, number>()
  return tests.map((test) => {
    const times = (seen.get(test.name) ?? 0) + 1
    seen.set(test.name, times)
    return times === 1 ? test : { ...test, name: `${test.name} (${times})` }
  })
}
