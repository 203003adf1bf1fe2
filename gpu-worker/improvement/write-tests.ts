import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import { fileKind } from '../gates/file-kind.ts'
import { isTestFile } from '../gates/test-file.ts'
import type { Mutant } from '../ports/source-parser.ts'
import type { TestRunnerName } from '../ports/test-suite.ts'
import { chooseMutants } from './mutants.ts'
import { createMutationOracle } from './mutation-oracle.ts'
import { collectPaths, type Plan, type PlanRequest, readText } from './plan.ts'
import { findTestPlace, type TestPlace } from './test-place.ts'
import { runCandidate } from './test-runs.ts'

/** Ways to break the code that are tried; each is a test run of a second or two. */
const MUTANTS_MAX = 12
/** A longer example says no more of the style, and takes the room of the code. */
const EXAMPLE_CHARACTERS_MAX = 8000
const NAMES_TOLD_MAX = 20

/** Tests for a file: they run, they pass, and they fail when the code is broken on purpose. */
export async function planTests(request: PlanRequest): Promise<Plan> {
  const { ports, signal, claim, tell } = request
  const source = await readText(ports.files, request.path, FILE_BYTES_MAX)
  const place = await placeOf(source.path, request)
  const file = await claim(place.path)
  const mutants = await mutantsOf(source, request)
  const runner = await runnerOf(source.path, file.path, request)
  const oracle = await createMutationOracle(
    { suite: ports.suite, testPath: file.path, testsBefore: file.text, source, mutants, tell },
    signal,
  )
  const names = [...new Set(mutants.map((each) => each.function))].slice(0, NAMES_TOLD_MAX)
  return {
    file,
    context: [source.path, ...(await exampleOf(place, request))],
    message: `Write tests for \`${source.path}\` with ${runnerNames[runner]}: ${importHint(source.path, file.path)}. Test ${names.map((name) => `\`${name}\``).join(', ')}: usual values, edge cases and errors. Each test asserts what a result must be.${file.text === null ? '' : ' Keep the tests that are there.'}`,
    oracles: [oracle],
  }
}

async function placeOf(path: string, request: PlanRequest): Promise<TestPlace> {
  if (isTestFile(path)) {
    throw new AppError('invalid_input', `Cannot write tests for "${path}": it holds tests itself`, {
      hint: 'Name the file of code that is to be tested',
    })
  }
  const place = findTestPlace(path, await collectPaths(request), await configuredPlaces(path, request))
  if (place !== null) return place
  throw new AppError('invalid_input', `Cannot write tests for "${path}": where its tests belong is not known here`, {
    hint: 'It must be Python, JavaScript, TypeScript, Go or Rust; for others use chat_with_agent',
  })
}

/** Where `missing_tests` of the repository's rules looks for the tests of a file, as far as it names one place. */
async function configuredPlaces(path: string, { ports }: PlanRequest): Promise<string[]> {
  const { settings } = await ports.settings()
  const rule = settings.requiredTests.find(({ matches }) => matches(path))
  return (rule?.places ?? []).map((place) => place.show(path)).filter((place) => !place.split('/').includes('**'))
}

const runnersFor: Readonly<Record<string, readonly TestRunnerName[]>> = {
  python: ['pytest'],
  javascript: ['vitest', 'jest', 'node'],
  typescript: ['vitest', 'jest', 'node'],
  tsx: ['vitest', 'jest', 'node'],
  go: ['go'],
  rust: ['cargo'],
}

const runnerNames: Readonly<Record<TestRunnerName, string>> = {
  pytest: 'pytest',
  vitest: 'vitest',
  jest: 'jest',
  node: '`node:test` and `node:assert/strict`',
  go: 'go test',
  cargo: 'cargo test',
}

/** A test that passes, to see whether the first one of a repository would be found and can run here. */
const firstTests: Readonly<Record<TestRunnerName, string>> = {
  pytest: 'def test_first():\n    assert True\n',
  vitest: "import { expect, test } from 'vitest'\n\ntest('first', () => expect(1).toBe(1))\n",
  jest: "test('first', () => expect(1).toBe(1))\n",
  node: "import { test } from 'node:test'\n\ntest('first', () => undefined)\n",
  go: '',
  cargo: '#[test]\nfn first() {}\n',
}

/** The runner that will run the tests. `not_found` where there is none, `unavailable` where it cannot run here. */
async function runnerOf(path: string, testPath: string, request: PlanRequest): Promise<TestRunnerName> {
  const { ports, signal } = request
  const wanted = runnersFor[fileKind(path).language ?? ''] ?? []
  const found = (await ports.suite.find(signal)).filter(({ runner }) => wanted.includes(runner))
  const usable = found.find(({ obstacle }) => obstacle === null)
  if (usable !== undefined) return usable.runner
  if (found[0] !== undefined) {
    throw new AppError('unavailable', `Cannot write tests for "${path}": ${found[0].obstacle}`, {
      hint: 'Tests that cannot be run here prove nothing, so none are written',
    })
  }
  let reason = 'none was found'
  for (const runner of wanted.filter((each) => firstTests[each] !== '')) {
    const candidates = [{ path: testPath, text: firstTests[runner] }]
    const run = await runCandidate(ports.suite, { paths: [testPath], candidates }, signal, request.tell)
    if (typeof run === 'string') reason = run
    else if (run.passed > 0) return run.runners[0]?.runner ?? runner
  }
  throw new AppError('not_found', `Cannot write tests for "${path}": no test runner for it works here: ${reason}`, {
    hint: 'A person installs one, names it in millwright.json under tests, or adds a first test',
  })
}

async function mutantsOf(source: { path: string; text: string }, { ports, signal }: PlanRequest): Promise<Mutant[]> {
  const { language } = fileKind(source.path)
  const outcome = language === null ? null : await ports.parser.mutate(language, source.text, signal)
  const mutants = outcome?.kind === 'mutants' ? chooseMutants(outcome.mutants, MUTANTS_MAX) : []
  if (mutants.length > 0) return mutants
  throw new AppError(
    'invalid_input',
    `Cannot write tests for "${source.path}": it has no function that does anything`,
    {
      hint: 'Tests are proven by breaking functions on purpose',
    },
  )
}

/** A test file of the repository, for its style. */
async function exampleOf({ example }: TestPlace, { ports }: PlanRequest): Promise<string[]> {
  if (example === null) return []
  try {
    const { path } = await readText(ports.files, example, EXAMPLE_CHARACTERS_MAX)
    return [path]
  } catch (error) {
    if (error instanceof AppError) return []
    throw error
  }
}

/** How the tests get at the code. */
function importHint(source: string, test: string): string {
  const name = fileKind(source).name
  if (name === 'python')
    return `import it as \`${source
      .replace(/^src\//, '')
      .replace(/(?:\/__init__)?\.py$/, '')
      .replaceAll('/', '.')}\``
  if (name === 'go' || name === 'rust') return 'as its language does'
  return `import it from \`${relativePath(test, source)}\``
}

/** A path as a module in another file names it. */
export function relativePath(from: string, to: string): string {
  const here = from.split('/').slice(0, -1)
  const there = to.split('/')
  const differ = here.findIndex((each, at) => each !== there[at])
  const shared = differ < 0 ? here.length : differ
  const up = here.slice(shared).map(() => '..')
  return [...(up.length === 0 ? ['.'] : up), ...there.slice(shared)].join('/')
}
