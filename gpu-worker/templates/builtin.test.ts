import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { python } from '#test/support/python.ts'
import { createSeededRandom } from '#test/support/seeded-random.ts'
import { createTemplateWorld, renderOk, type TemplateWorld } from '#test/support/template-world.ts'
import { builtinTemplates } from './builtin.ts'
import { exampleSets, HOSTILE_TEXT, hostileSet } from './examples.ts'
import type { Template } from './template.ts'
import { validateTemplate } from './validate.ts'
import { readValues } from './values.ts'

let world: TemplateWorld
beforeAll(async () => {
  world = await createTemplateWorld()
})
afterAll(() => world?.close())

const all = [...builtinTemplates().values()]

describe('the templates that come with Millwright', () => {
  it('are these', () => {
    expect(all.map(({ name }) => name)).toEqual([
      'hono-route',
      'mcp-tool',
      'module-readme',
      'pytest-suite',
      'python-class',
      'python-crud-api',
      'python-dataclass',
      'python-module',
      'typescript-module',
      'vitest-suite',
    ])
  })

  it.each(all)('$name is valid', async (template) => {
    const { problems, rendered } = await validateTemplate(template, world.ports)
    expect(problems).toEqual([])
    expect(rendered).toHaveLength(template.outputs.length)
  })

  // Not only errors: what we give away passes without a warning.
  it.each(all)('$name makes files without a warning', async (template) => {
    for (const example of exampleSets(template.variables)) {
      for (const { path, text } of renderOk(template, { ...example })) {
        const { checks } = await world.checker.check({ path, text, before: null })
        expect(checks.violations).toEqual([])
        expect(text).toMatch(/[^\n]\n$/)
        expect(text).not.toMatch(/[ \t]\n|\n{4}/)
      }
    }
  })
})

const ENDS = [
  '"',
  "'",
  '\\',
  '`',
  '\n',
  '\r',
  '\u2028',
  '*/',
  '"""',
  "'''",
  '$' + '{process.exit(1)}',
  '{{ 7 }}',
  '{% x %}',
  '-->',
]
const MORE = [
  '//',
  '#',
  '; exit(1) ;',
  '\\u002a/',
  '\\x22',
  'coding: utf-7',
  '```',
  '|',
  '%s',
  '{0}',
  'é',
  '\u202e',
  '\u001b',
  'a',
  ' ',
]

function randomText(random: ReturnType<typeof createSeededRandom>): string {
  const pieces = [...ENDS, ...MORE]
  const some = Array.from({ length: 1 + random.below(8) }, () => pieces[random.below(pieces.length)] ?? '')
  // One letter at least: names are made of some texts.
  return `x${some.join('')}`.slice(0, 100)
}

/** The example with another hostile text in each place. */
function spoiled(template: Template, example: Record<string, unknown>, random: ReturnType<typeof createSeededRandom>) {
  const json = JSON.stringify(hostileSet(template.variables, example))
  const places = JSON.stringify(HOSTILE_TEXT).slice(1, -1)
  const cut = JSON.stringify(HOSTILE_TEXT.slice(0, 100)).slice(1, -1)
  const filled = json
    .split(places)
    .reduce((text, part) => `${text}${JSON.stringify(randomText(random)).slice(1, -1)}${part}`)
  return JSON.parse(filled.replaceAll(cut, () => JSON.stringify(randomText(random)).slice(1, -1))) as Record<
    string,
    unknown
  >
}

async function definitionsOf(path: string, text: string): Promise<string[]> {
  const language = path.endsWith('.py') ? 'python' : path.endsWith('.ts') ? 'typescript' : 'markdown'
  const outcome = await world.ports.parser.parse(language, text)
  if (outcome.kind !== 'parsed') throw new Error(`Not parsed: ${outcome.kind}`)
  expect(outcome.faults, `${path}\n${text}`).toEqual([])
  return outcome.definitions.map(({ kind }) => kind)
}

describe('hostile values', () => {
  it.each(all)('stay text in what $name makes', async (template) => {
    const random = createSeededRandom(11)
    const [example = {}] = exampleSets(template.variables)
    const [tame] = renderOk(template, { ...example })
    const definitions = await definitionsOf(tame?.path ?? '', tame?.text ?? '')
    const rounds = template.name === 'module-readme' ? 10 : 25
    for (let round = 0; round < rounds; round++) {
      // Two texts of one list may become the same name, which is refused before anything is rendered.
      const values = spoiled(template, { ...example }, random)
      if ('problems' in readValues(template.variables, values)) continue
      const [made] = renderOk(template, values)
      expect(await definitionsOf(made?.path ?? '', made?.text ?? '')).toEqual(definitions)
    }
  })

  it.each(all)('with a NUL in them are refused by $name', (template) => {
    const [example = {}] = exampleSets(template.variables)
    const json = JSON.stringify(hostileSet(template.variables, example)).replaceAll('<%=', '\\u0000')
    const read = readValues(template.variables, JSON.parse(json) as Record<string, unknown>)
    expect('problems' in read && read.problems.map(({ message }) => message)).toContain('must not have NUL characters')
  })

  it.skipIf(python.path === null)(`are read by Python as what they are (${python.missing ?? 'python3'})`, () => {
    const random = createSeededRandom(5)
    const sources: string[] = []
    for (const template of all.filter(({ outputs }) => outputs[0]?.path.endsWith('.py'))) {
      const [example = {}] = exampleSets(template.variables)
      for (let round = 0; round < 40; round++) {
        const values = spoiled(template, { ...example }, random)
        if (!('problems' in readValues(template.variables, values)))
          sources.push(renderOk(template, values)[0]?.text ?? '')
      }
    }
    expect(sources.length).toBeGreaterThan(100)
    // No call but those of the template itself: what a value says is never a name that is called.
    const program = [
      'import ast,json,sys',
      'calls=lambda t: [n.func.id for n in ast.walk(t) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]',
      'print(json.dumps([c for s in json.load(sys.stdin) for c in calls(ast.parse(s)) if c in ("exit","eval","exec","compile","open")]))',
    ].join('\n')
    const found: unknown = JSON.parse(
      execFileSync(python.path ?? '', ['-c', program], { input: JSON.stringify(sources), encoding: 'utf8' }),
    )
    expect(found).toEqual([])
  })
})
