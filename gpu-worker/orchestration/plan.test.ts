import { afterAll, describe, expect, it } from 'vitest'
import { createNodeFileTree } from '#gpu-worker/adapters/node-file-tree.ts'
import { openRepository } from '#gpu-worker/adapters/simple-git.ts'
import { createTreeSitterParser } from '#gpu-worker/adapters/tree-sitter-parser.ts'
import { createSettingsSource } from '#gpu-worker/gates/settings-source.ts'
import { visible } from '#gpu-worker/tools/files.ts'
import { createTempRepository, type TempRepository } from '#test/support/temp-repository.ts'
import { createFileMeasure } from './measure.ts'
import { makePlan, type Plan, type PlanRequest } from './plan.ts'

const nested = (depth: number): string =>
  Array.from({ length: depth }, (_, level) => `${'    '.repeat(level + 1)}if x[${level}]:`).join('\n')
const deep = (name: string, depth: number): string =>
  `def ${name}(x):\n${nested(depth)}\n${'    '.repeat(depth + 1)}return 1\n`

const FILES = {
  'shop/__init__.py': '',
  'shop/worst.py': `from shop import middle\n\n\n${deep('worst', 8)}`,
  'shop/middle.py': `${deep('middle', 6)}`,
  'shop/fine.py': 'def fine(x: int) -> int:\n    """Return it."""\n    return x\n',
  'shop/broken.py': 'def broken(:\n',
  'tests/test_middle.py': `def test_middle():\n${nested(7)}\n${'    '.repeat(8)}assert x\n`,
  'notes.md': '# Notes\n',
  '.gitignore': 'build/\n',
  'build/ignored.py': deep('ignored', 9),
  '.vscode/protected.py': deep('secret', 9),
}

const parser = createTreeSitterParser()
const worlds: TempRepository[] = []
afterAll(async () => {
  for (const world of worlds) world.remove()
  await parser.close()
})

async function planOf(
  changes: Partial<PlanRequest> = {},
  files: Record<string, string> = FILES,
  signal = new AbortController().signal,
): Promise<Plan> {
  const world = await createTempRepository(files)
  worlds.push(world)
  const tree = await createNodeFileTree({ root: world.root })
  const repository = await openRepository({ root: world.root })
  const ports = {
    files: tree,
    async *listPaths(stop: AbortSignal) {
      for await (const { path, kind } of visible({ files: tree, repository }, '', null, stop))
        if (kind === 'file') yield path
    },
    measure: createFileMeasure(tree, parser, createSettingsSource(tree)),
  }
  const request = { paths: null, stepsMax: 100, actions: null, hasGoal: false, canTest: true, ...changes }
  return makePlan(ports, request, signal, () => {})
}

const short = ({ steps }: Plan): string[] => steps.map(({ path, action }) => `${path} ${action}`)

describe('a plan', () => {
  it('takes the worst file first, says what it does before it is made simpler, and then tests it', async () => {
    const plan = await planOf()
    expect(short(plan)).toEqual([
      'shop/worst.py generate_documentation',
      'shop/worst.py refactor_code',
      'shop/worst.py generate_tests',
      'shop/middle.py generate_documentation',
      'shop/middle.py refactor_code',
      'shop/fine.py generate_tests',
    ])
    expect(plan.steps[0]?.why).toBe('1 public name has no documentation')
    expect(plan.steps[1]?.why).toContain('`worst` is too complex, cyclomatic 9')
    expect(plan).toMatchObject({ stepsLeft: 0, filesMeasured: 4, neighbours: [['shop/worst.py', 'shop/middle.py']] })
  })

  it('has as many steps as there are iterations, and counts the others', async () => {
    const plan = await planOf({ stepsMax: 2 })
    expect(short(plan)).toEqual(['shop/worst.py generate_documentation', 'shop/worst.py refactor_code'])
    expect(plan.stepsLeft).toBe(4)
  })

  it('keeps to the files and folders that were named, each once', async () => {
    const plan = await planOf({ paths: ['shop/middle.py', './shop//middle.py', 'tests'] })
    expect(short(plan)).toEqual(['shop/middle.py generate_documentation', 'shop/middle.py refactor_code'])
    expect((await planOf({ paths: ['shop'] })).filesMeasured).toBe(4)
  })

  it('refuses a path that leads nowhere, or out', async () => {
    await expect(planOf({ paths: ['shop/none.py'] })).rejects.toMatchObject({ code: 'not_found' })
    await expect(planOf({ paths: ['../x'] })).rejects.toMatchObject({ code: 'outside_repository' })
  })

  it('does what the goal names, and for any other goal tries to refactor each file', async () => {
    const docs = await planOf({ hasGoal: true, actions: new Set(['generate_documentation']) })
    expect(short(docs)).toEqual(['shop/worst.py generate_documentation', 'shop/middle.py generate_documentation'])
    const other = await planOf({ hasGoal: true, paths: ['shop/fine.py'] })
    expect(short(other)).toEqual(['shop/fine.py refactor_code', 'shop/fine.py generate_tests'])
  })

  it('asks for no tests where none could run', async () => {
    expect(short(await planOf({ canTest: false })).filter((step) => step.includes('tests'))).toEqual([])
  })

  it('goes by the limits of the repository, and never by its commands', async () => {
    const settings = {
      checks: {
        complexity: { cyclomatic: 50, cognitive: 100 },
        severities: { missing_docs: 'off' },
        commands: [{ name: 'never', run: ['false'] }],
      },
    }
    const files = { 'a.py': deep('a', 4), 'test_a.py': '', 'millwright.json': JSON.stringify(settings) }
    expect(short(await planOf({ canTest: true }, files))).toEqual(['a.py generate_documentation'])
  })

  it('stops when it is told to', async () => {
    await expect(planOf({}, FILES, AbortSignal.abort())).rejects.toBeDefined()
  })
})
