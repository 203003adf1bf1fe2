import type { RE2JS } from 're2js'
import { type NameStyle, nameStyles } from './name-styles.ts'
import { createNeededPath, type NeededPath } from './needed-path.ts'
import { type PathMatcher, toMatcher, toPattern } from './settings-values.ts'
import type { NamingEntry, namedThings, ReadmesEntry, TestsEntry } from './structure-schema.ts'

export type NamedThing = (typeof namedThings)[number]

/** How one kind of name is written. Of the rules for a kind the first that fits a file decides. */
export interface NamingRule {
  readonly of: NamedThing
  readonly matches: PathMatcher
  /** Null for all. */
  readonly languages: ReadonlySet<string> | null
  readonly styles: readonly NameStyle[]
  readonly allowed: readonly RE2JS[]
}

/** Files that need a test at one of these places. */
export interface RequiredTests {
  readonly matches: PathMatcher
  readonly places: readonly NeededPath[]
}

export interface RequiredReadmes {
  /** Whether a folder needs one; `.` is the top. */
  readonly folder: PathMatcher
  /** Whether there must be one beside a file. */
  readonly beside: PathMatcher
  /** In lower case. */
  readonly names: ReadonlySet<string>
}

/** What is no unit of its own: packages' own files, what only declares, configuration, examples. */
const PYTHON_EXCEPT = ['_*.py', 'setup.py', 'conftest.py', '**/{docs,doc,examples,migrations}/**']
const SCRIPT_EXCEPT = [
  '*.d.{ts,mts,cts}',
  'index.*',
  '*.{config,conf,setup,stories}.*',
  '.*',
  '**/{docs,doc,examples,migrations,__mocks__}/**',
]

/** Layouts that pytest and the runners of TypeScript find by themselves. */
export const TESTS_DEFAULT: readonly TestsEntry[] = [
  { files: '*.py', except: PYTHON_EXCEPT, tests: ['**/test_{name}.py', '**/{name}_test.py'] },
  {
    files: '*.{ts,tsx,mts,cts,js,jsx,mjs,cjs}',
    except: SCRIPT_EXCEPT,
    tests: [
      '**/{name}.test.{ext}',
      '**/{name}.spec.{ext}',
      '**/{name}.test.ts',
      '**/{name}.spec.ts',
      '**/__tests__/{name}.{ext}',
    ],
  },
]

/** The top, and what is published or built by itself. */
const READMES_DEFAULT = {
  folders: ['.'],
  beside: ['package.json', 'pyproject.toml', 'setup.py', 'go.mod', 'Cargo.toml', 'pom.xml'],
  names: ['README', 'README.md', 'README.rst', 'README.txt'],
}

export function toNaming(entries: readonly NamingEntry[]): NamingRule[] {
  return entries.map(({ of, style, files, languages, allow = [] }, index) => {
    const key = `checks.naming.${index}`
    return {
      of,
      matches: files === undefined ? () => true : toMatcher(files, `${key}.files`),
      languages: languages === undefined ? null : new Set(languages),
      styles: [style].flat().map((each) => nameStyles[each]),
      allowed: allow.map((each, at) => toPattern(each, `${key}.allow.${at}`)),
    }
  })
}

export function toRequiredTests(entries: readonly TestsEntry[] = TESTS_DEFAULT): RequiredTests[] {
  return entries.map(({ files, except = [], tests }, index) => {
    const key = `checks.missing_tests.${index}`
    const isFile = toMatcher(files, `${key}.files`)
    const isExcept = anyOf(except, `${key}.except`)
    return {
      matches: (path) => isFile(path) && !isExcept(path),
      places: tests.map((place, at) => createNeededPath(place, `${key}.tests.${at}`)),
    }
  })
}

export function toRequiredReadmes({ folders, beside, names }: ReadmesEntry = {}): RequiredReadmes {
  const key = 'checks.missing_readmes'
  return {
    folder: anyOf(folders ?? READMES_DEFAULT.folders, `${key}.folders`),
    beside: anyOf(beside ?? READMES_DEFAULT.beside, `${key}.beside`),
    names: new Set((names ?? READMES_DEFAULT.names).map((name) => name.toLowerCase())),
  }
}

/**
 * Protected are a path that a glob matches and all that lies below it, without regard to case: what a file system takes
 * for the same file must be one here.
 */
export function toProtectedPaths(entries: readonly string[]): PathMatcher {
  const isNamed = anyOf(
    entries.map((each) => fold(each.replace(/\/+$/, '') || each)),
    'protected_paths',
  )
  return (path) => {
    const folded = fold(path)
    for (let end = folded.indexOf('/'); end !== -1; end = folded.indexOf('/', end + 1)) {
      if (isNamed(folded.slice(0, end))) return true
    }
    return isNamed(folded)
  }
}

const fold = (text: string): string => text.normalize('NFKC').toLowerCase()

function anyOf(entries: readonly string[], key: string): PathMatcher {
  const matchers = entries.map((glob, index) => toMatcher(glob, `${key}.${index}`))
  return (path) => matchers.some((matches) => matches(path))
}
