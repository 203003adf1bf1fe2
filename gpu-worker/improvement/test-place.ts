import { isTestFile } from '../gates/test-file.ts'

/** Where the tests of a file stand: by what is there already, or else by the habit of the repository and the language. */
export interface TestPlace {
  readonly path: string
  /** A test file of the repository to take as an example; null where there is none. */
  readonly example: string | null
}

/**
 * Finds the test file of a source. `paths` are the files of the repository; `configured` are the places where its rules want
 * the tests of this source, which go before every habit: the first that is there, or else the first. Null where its language
 * has no habit that is known here.
 */
export function findTestPlace(
  source: string,
  paths: readonly string[],
  configured: readonly string[] = [],
): TestPlace | null {
  const file = splitPath(source)
  const habit = habits.find(({ extensions }) => extensions.has(file.extension))
  if (habit === undefined) return null
  const wanted = configured.find((path) => paths.includes(path)) ?? configured[0]
  const tests = paths.filter((path) => isTestFile(path) && habit.extensions.has(splitPath(path).extension))
  const own = tests.filter((path) => habit.names(file.stem).includes(splitPath(path).name))
  const path = wanted ?? nearest(own, file.folder) ?? habit.place(file, tests)
  const others = tests.filter((each) => each !== path && !/(?:^|\/)(?:conftest|__init__)\.py$/.test(each))
  return { path, example: nearest(others, splitPath(path).folder) }
}

interface FilePath {
  /** Empty for the top; without a slash at its end. */
  readonly folder: string
  readonly name: string
  readonly stem: string
  readonly extension: string
}

interface Habit {
  readonly extensions: ReadonlySet<string>
  /** Names that the tests of a file may have. */
  names(stem: string): readonly string[]
  /** Where a new test file goes, given those that there are. */
  place(source: FilePath, tests: readonly string[]): string
}

const scripts = ['ts', 'tsx', 'mts', 'cts', 'js', 'jsx', 'mjs', 'cjs']

const habits: readonly Habit[] = [
  {
    extensions: new Set(['py']),
    names: (stem) => [`test_${stem}.py`, `${stem}_test.py`],
    place({ folder, stem }, tests) {
      const isSuffix = tests.length > 0 && tests.every((path) => path.endsWith('_test.py'))
      const name = isSuffix ? `${stem}_test.py` : `test_${stem}.py`
      return join(testFolder(folder, tests) ?? (tests.length > 0 ? folder : 'tests'), name)
    },
  },
  {
    extensions: new Set(scripts),
    names: (stem) => ['test', 'spec'].flatMap((kind) => scripts.map((extension) => `${stem}.${kind}.${extension}`)),
    place({ folder, stem, extension }, tests) {
      const specs = tests.filter((path) => /\.spec\.\w+$/.test(path)).length
      const name = `${stem}.${specs * 2 > tests.length ? 'spec' : 'test'}.${extension}`
      if (tests.some((path) => path.includes('__tests__/'))) return join(folder, `__tests__/${name}`)
      return join(testFolder(folder, tests) ?? folder, name)
    },
  },
  {
    extensions: new Set(['go']),
    names: (stem) => [`${stem}_test.go`],
    place: ({ folder, stem }) => join(folder, `${stem}_test.go`),
  },
  {
    extensions: new Set(['rs']),
    names: (stem) => [`${stem}.rs`, `test_${stem}.rs`, `${stem}_test.rs`],
    // Cargo takes each file in `tests` beside `src` as tests of the crate.
    place: ({ folder, stem }) => join(join(folder.replace(/(?:^|\/)src(?:\/.*)?$/, ''), 'tests'), `${stem}.rs`),
  },
]

/**
 * The folder of tests that belongs to a source's folder, where most tests stand in such folders: that of the package around it
 * (`web/tests` for `web/src/a.ts`), or the one at the top. Null where tests stand beside their sources.
 */
function testFolder(folder: string, tests: readonly string[]): string | null {
  const apart = tests.filter((path) => /(?:^|\/)tests?\//.test(path))
  if (apart.length === 0 || apart.length * 2 < tests.length) return null
  const roots = apart.map((path) => /^(?:.*\/)?tests?(?=\/)/.exec(path)?.[0] ?? '')
  const around = roots.filter((root) => isWithin(folder, root.replace(/(?:^|\/)tests?$/, '')))
  return around.sort((a, b) => b.length - a.length)[0] ?? roots[0] ?? null
}

const isWithin = (folder: string, root: string): boolean =>
  root === '' || folder === root || folder.startsWith(`${root}/`)

/** The path that shares the most folders with this one. */
function nearest(paths: readonly string[], folder: string): string | null {
  const shared = (path: string): number => {
    const names = folder.split('/')
    const others = splitPath(path).folder.split('/')
    const differ = names.findIndex((each, at) => each !== others[at])
    return differ < 0 ? names.length : differ
  }
  return paths.toSorted((a, b) => shared(b) - shared(a) || a.localeCompare(b))[0] ?? null
}

const join = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`)

function splitPath(path: string): FilePath {
  const slash = path.lastIndexOf('/')
  const name = path.slice(slash + 1)
  const dot = name.lastIndexOf('.')
  return {
    folder: slash < 0 ? '' : path.slice(0, slash),
    name,
    stem: dot <= 0 ? name : name.slice(0, dot),
    extension: dot <= 0 ? '' : name.slice(dot + 1),
  }
}
