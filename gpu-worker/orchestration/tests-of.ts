import { isTestFile } from '../gates/test-file.ts'

/** Whether a file has a test of its own, by the names of the tests that there are: `test_a.py`, `a.test.ts`, `a_test.go`. */
export function createTestLookup(paths: readonly string[]): (path: string) => boolean {
  const tested = new Set(paths.filter(isTestFile).map((path) => subjectOf(stemOf(path))))
  return (path) => tested.has(nameOf(path))
}

const stemOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]+$/, '')

/** A package is tested under its folder's name. */
function nameOf(path: string): string {
  const stem = stemOf(path)
  const folder = path.split('/').at(-2)
  return (stem === '__init__' || stem === 'index' || stem === 'mod') && folder !== undefined
    ? folder.toLowerCase()
    : stem.toLowerCase()
}

/** What a test's name says that it tests. */
const subjectOf = (stem: string): string =>
  stem
    .toLowerCase()
    .replace(/^tests?_|_tests?$|\.(?:test|spec)$/g, '')
    .replace(/(?<=[a-z0-9])(?:tests?|it)$/, '')
