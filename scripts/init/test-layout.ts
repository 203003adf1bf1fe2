import { fileKind } from '#gpu-worker/gates/file-kind.ts'
import { createNeededPath, type PathsByName, toPathsByName } from '#gpu-worker/gates/needed-path.ts'
import type { TestsEntry } from '#gpu-worker/gates/structure-schema.ts'
import { TESTS_DEFAULT, toRequiredTests } from '#gpu-worker/gates/structure-settings.ts'
import { isTestFile } from '#gpu-worker/gates/test-file.ts'

/** Places by language, the narrow ones first. */
const candidates: readonly (readonly string[])[] = [
  [
    '{dir}/test_{name}.py',
    '{dir}/tests/test_{name}.py',
    'tests/{sub}/test_{name}.py',
    'tests/{dir}/test_{name}.py',
    'tests/test_{name}.py',
    'test/test_{name}.py',
    '**/test_{name}.py',
    '**/{name}_test.py',
  ],
  [
    '{dir}/{name}.test.{ext}',
    '{dir}/{name}.spec.{ext}',
    '{dir}/__tests__/{name}.test.{ext}',
    '{dir}/__tests__/{name}.{ext}',
    'test/{sub}/{name}.test.{ext}',
    'tests/{sub}/{name}.test.{ext}',
    'test/{dir}/{name}.test.{ext}',
    '**/{name}.test.{ext}',
    '**/{name}.spec.{ext}',
    '**/{name}.test.ts',
    '**/{name}.spec.ts',
  ],
]

/** Where tests stand for the languages that have any here; null where there are none. */
export function findTestLayout(files: readonly string[]): TestsEntry[] | null {
  const paths = toPathsByName(files)
  const rules = toRequiredTests()
  const entries = TESTS_DEFAULT.flatMap((entry, index) => {
    const rule = rules[index]
    const sources = files.filter((path) => fileKind(path).isCode && !isTestFile(path) && rule?.matches(path) === true)
    const tests = placesInUse(candidates[index] ?? [], sources, paths)
    return tests.length === 0 ? [] : [{ ...entry, tests }]
  })
  return entries.length === 0 ? null : entries
}

/** The places at which a test is, each for a file that has none at the ones before. */
function placesInUse(places: readonly string[], sources: readonly string[], paths: PathsByName): string[] {
  let left = sources
  return places.filter((place) => {
    const needed = createNeededPath(place, place)
    const without = left.filter((file) => !needed.isThere(file, paths))
    const isUsed = without.length < left.length
    left = without
    return isUsed
  })
}
