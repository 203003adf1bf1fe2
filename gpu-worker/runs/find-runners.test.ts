import { describe, expect, it } from 'vitest'
import type { CommandLine } from '../ports/command-runner.ts'
import { findRunners } from './find-runners.ts'
import { commandLineOf, commandOf, pathsFor, type RunnerPlan } from './plan.ts'

const nodeTest = "import test from 'node:test'\n"

/** A repository of these files; what git ignores is there and is not listed. */
const viewOf = (files: Record<string, string>, ignored: Record<string, string> = {}) => ({
  paths: Object.keys(files).sort(),
  read: async (path: string) => files[path] ?? ignored[path] ?? null,
  exists: async (path: string) => path in files || path in ignored,
})
const find = (files: Record<string, string>, ignored?: Record<string, string>) => findRunners(viewOf(files, ignored))
const shown = (plans: readonly RunnerPlan[]): string[] =>
  plans.map((plan) => `${plan.name}: ${commandOf(plan, null).join(' ')}`)
const pytest = 'python3 -m pytest'

describe('findRunners', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['nothing', { 'README.md': '', 'src/a.py': '', 'package.json': '{}', 'test.md': '' }, []],
    ['test files of Python', { 'tests/test_a.py': '', 'tests/conftest.py': '' }, [`pytest: ${pytest}`]],
    ['test files by their ending', { 'a_test.py': '' }, [`pytest: ${pytest}`]],
    ['settings of pytest', { 'pyproject.toml': '[tool.pytest.ini_options]\n', 'a.py': '' }, [`pytest: ${pytest}`]],
    ['other settings in the same file', { 'pyproject.toml': '[tool.ruff]\n# [tool.pytest]\n', 'a.py': '' }, []],
    [
      'a Python project in a folder',
      { 'backend/pyproject.toml': '', 'backend/tests/test_a.py': '', 'web/package.json': '{}' },
      [`pytest in backend: ${pytest}`],
    ],
    [
      'Python projects in each other',
      { 'setup.cfg': '[tool:pytest]\n', 'inner/pytest.ini': '', 'inner/test_a.py': '' },
      [`pytest: ${pytest}`],
    ],
    ['vitest among the dependencies', { 'package.json': '{"devDependencies": {"vitest": "5"}}' }, ['vitest: vitest']],
    ['its configuration', { 'vitest.config.mts': '' }, ['vitest: vitest']],
    ['jest by a key', { 'package.json': '{"jest": {"bail": true}}' }, ['jest: jest']],
    ['jest by its configuration', { 'web/jest.config.json': '{}' }, ['jest in web: jest']],
    [
      'packages of a workspace',
      {
        'package.json': '{"dependencies": {"jest": "30"}}',
        'packages/a/package.json': '{"devDependencies": {"jest": "30"}}',
      },
      ['jest: jest'],
    ],
    [
      'a test script of node',
      { 'package.json': '{"scripts": {"test": "node --import tsx --test \'src/**/*.test.ts\'"}}' },
      ['node: node --import tsx --test src/**/*.test.ts'],
    ],
    ['a script that needs a shell', { 'package.json': '{"scripts": {"test": "tsc && node --test"}}' }, []],
    ['a script with a substitution', { 'package.json': '{"scripts": {"test": "node --test $(rm -rf .)"}}' }, []],
    [
      'test files of node, among those of others',
      {
        'a.test.js': "import { it } from 'vitest'\n",
        'b.test.mjs': nodeTest,
        'test/c.js': "const test = require('node:test')\n",
        'd.js': nodeTest,
      },
      ['node: node --test ./b.test.mjs ./test/c.js'],
    ],
    [
      'names that node takes for patterns',
      { 'test/[id].test.js': nodeTest, 'test/a{b}.test.js': nodeTest },
      ['node: node --test ./test/[[]id].test.js ./test/a[{]b}.test.js'],
    ],
    [
      'modules of Go, one in the other',
      { 'go.mod': '', 'a_test.go': '', 'tools/go.mod': '', 'tools/b_test.go': '', 'empty/go.mod': '' },
      ['go: go test ./...', 'go in tools: go test ./...'],
    ],
    ['test files of Go without a module', { 'a_test.go': '' }, []],
    ['a crate', { 'Cargo.toml': '[package]\n', 'src/lib.rs': '' }, ['cargo: cargo test']],
    [
      'a workspace of crates',
      { 'Cargo.toml': '[workspace]\nmembers = ["a"]\n', 'a/Cargo.toml': '[package]\n' },
      ['cargo: cargo test --workspace'],
    ],
    [
      'what only looks like tests',
      {
        'test/fixtures/test_a.py': '',
        'vendor/x/go.mod': '',
        'vendor/x/a_test.go': '',
        'node_modules/x/package.json': '{"dependencies": {"jest": "1"}}',
        'testdata/Cargo.toml': '',
      },
      [],
    ],
    [
      'manifests that are none',
      { 'package.json': '[]', 'web/package.json': '{"scripts": 3, "dependencies": []', 'Cargo.toml': '\0' },
      ['cargo: cargo test'],
    ],
  ])('finds in a repository with %s what it is', async (_what, files, expected) => {
    expect(shown(await find(files))).toEqual(expected)
  })

  it('runs no package twice, whose tests the one around it runs', async () => {
    const script = (test: string) => JSON.stringify({ scripts: { test } })
    const inner = { 'a/package.json': script('node --test') }
    expect(shown(await find({ 'package.json': script('node --test'), ...inner }))).toEqual(['node: node --test'])
    expect(shown(await find({ 'package.json': script('node --test b/*.js'), ...inner }))).toEqual([
      'node: node --test b/*.js',
      'node in a: node --test',
    ])
  })

  it('comes to an end in a repository that was made to be large', async () => {
    const files: Record<string, string> = {}
    for (let at = 0; at < 30_000; at++) {
      files[`d${at}/test_a.py`] = ''
      files[`d${at}/pyproject.toml`] = ''
      files[`d${at}/a_test.go`] = ''
      files[`d${at}/Cargo.toml`] = ''
    }
    const plans = await find({ ...files, 'go.mod': '' })
    expect(plans.find(({ runner }) => runner === 'go')).toMatchObject({ folder: '' })
    expect(plans.length).toBeGreaterThan(20)
  })

  it('finds several at once', async () => {
    const plans = await find({
      'test_a.py': '',
      'package.json': '{"devDependencies": {"vitest": "5"}}',
      'go.mod': '',
      'a_test.go': '',
    })
    expect(plans.map(({ runner }) => runner)).toEqual(['pytest', 'vitest', 'go'])
  })

  it('takes the installation that is nearest', async () => {
    const files = {
      'web/package.json': '{"devDependencies": {"jest": "30"}}',
      'api/pyproject.toml': '',
      'api/test_a.py': '',
    }
    expect(shown(await find(files, { 'web/node_modules/.bin/jest': '', 'api/.venv/bin/python3': '' }))).toEqual([
      'pytest in api: ./.venv/bin/python3 -m pytest',
      'jest in web: ./node_modules/.bin/jest',
    ])
  })

  it.each([
    ['2.1.9', [], ['node_modules/.vite-temp']],
    ['3.0.5', [], ['node_modules/.vite-temp']],
    ['3.2.4', ['--configLoader=runner'], []],
    ['5.1.1', ['--configLoader=runner', '--fsModuleCache=false'], []],
  ])('keeps vitest %s from writing where it may not', async (version, flags, scratchFolders) => {
    const [plan] = await find(
      { 'vitest.config.ts': '' },
      { 'node_modules/vitest/package.json': JSON.stringify({ version }) },
    )
    expect(plan).toMatchObject({ flags, scratchFolders })
  })
})

describe('a plan', () => {
  const planOf = async (files: Record<string, string>): Promise<RunnerPlan> => {
    const [plan] = await find(files)
    if (plan === undefined) throw new Error('No runner')
    return plan
  }
  const line = (plan: RunnerPlan): string => {
    const [, , script, , folder, , ...rest] = commandLineOf(plan, { paths: null, reportAs: 'REPORT' })
    return `${folder}: ${rest.join(' ')} ${script?.replace(/.*exec "\$@"/, '')}`.trim()
  }

  it('puts what makes a report where the runner takes it', async () => {
    const script = '{"scripts": {"test": "node --test a.js"}}'
    expect(line(await planOf({ 'package.json': script }))).toBe(
      '.: node --test-reporter=junit --test-reporter-destination=REPORT --test-reporter=spec --test-reporter-destination=stdout --test a.js',
    )
    expect(line(await planOf({ 'sub/go.mod': '', 'sub/a_test.go': '' }))).toBe('./sub: go test -json ./...  >"$report"')
    const cargo = await planOf({ 'Cargo.toml': '' })
    const run: CommandLine = ['cargo', 'test', '--', '--test-threads=1']
    expect(line({ ...cargo, run })).toBe(
      '.: cargo test --no-fail-fast --color=never -- --test-threads=1  >"$report" 2>&1',
    )
  })

  it.each<[string, Record<string, string>, string[], string[], string[] | undefined]>([
    ['pytest', { 'tests/test_a.py': '' }, ['tests/test_a.py'], [], ['./tests/test_a.py']],
    ['pytest', { 'tests/test_a.py': '', 'web/a.js': '' }, [], ['web'], undefined],
    ['pytest', { 'tests/test_a.py': '', 'README.md': '' }, ['README.md'], [], undefined],
    ['pytest in a folder', { 'api/pyproject.toml': '', 'api/test_a.py': '' }, ['api/test_a.py'], [], ['./test_a.py']],
    ['the whole of a folder', { 'api/pyproject.toml': '', 'api/test_a.py': '' }, [], ['api'], []],
    ['jest', { 'jest.config.js': '', 'a.(b).test.js': '' }, ['a.(b).test.js'], [], ['(^|/)a\\.\\(b\\)\\.test\\.js$']],
    ['jest', { 'jest.config.js': '', 'src/a.js': '' }, [], ['src'], ['(^|/)src/']],
    ['node', { 'test/a.mjs': nodeTest, 'test/b.mjs': nodeTest }, [], ['test'], ['./test/a.mjs', './test/b.mjs']],
    ['node', { 'test/a.mjs': nodeTest, 'src/c.mjs': '' }, [], ['src'], undefined],
    ['go', { 'go.mod': '', 'in/a_test.go': '' }, ['in/a_test.go'], ['in'], ['./in', './in/...']],
    ['go at the top', { 'go.mod': '', 'a_test.go': '' }, ['a_test.go'], [], ['./']],
    [
      'cargo',
      { 'Cargo.toml': '', 'tests/it.rs': '', 'src/a.rs': '' },
      ['tests/it.rs'],
      ['src'],
      ['--test=it', '--lib', '--bins'],
    ],
    ['cargo', { 'Cargo.toml': '', 'tests/it.rs': '' }, [], ['tests'], ['--test=*']],
  ])('runs of %s what it is asked for', async (_what, files, asked, folders, expected) => {
    const plan = await planOf(files)
    const paths = pathsFor(plan, { files: asked, folders }, Object.keys(files))
    const base = [...plan.run]
    expect(paths === undefined ? undefined : commandOf(plan, paths).slice(base.length)).toEqual(expected)
  })
})
