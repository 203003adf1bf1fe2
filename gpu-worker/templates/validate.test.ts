import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTemplateWorld, type TemplateWorld, templateOf } from '#test/support/template-world.ts'
import { validateTemplate } from './validate.ts'

let world: TemplateWorld
beforeAll(async () => {
  world = await createTemplateWorld()
})
afterAll(() => world?.close())

const text = { type: 'string', examples: ['a "b"'] }
const name = { type: 'identifier', examples: ['user'] }
const problemsOf = async (parts: Parameters<typeof templateOf>[0]): Promise<string[]> =>
  (await validateTemplate(templateOf(parts), world.ports)).problems.map(({ where, message }) => `${where}: ${message}`)

describe('a template', () => {
  it('is valid where its examples pass', async () => {
    const variables = { name, text, size: { type: 'integer', default: 1, examples: [2, 3] } }
    const body = '"""{{ text | docstring }}"""\n{{ name | constant_case }} = {{ size }}\n'
    const { problems, rendered } = await validateTemplate(
      templateOf({ variables, body, path: '{{ name }}.py' }),
      world.ports,
    )
    expect(problems).toEqual([])
    expect(rendered).toMatchObject([{ path: 'user.py', text: '"""a "b\\""""\nUSER = 2\n' }])
  })

  it.each([
    ['a tag that is not closed', { body: 'a\n{% if true %}\n' }, /^out\.py\.liquid:2: tag .* not closed/],
    ['a filter that there is not', { body: '{{ 1 | date }}' }, /^out\.py\.liquid:1: undefined filter: date/],
    ['a variable that there is not', { body: '{{ nix }}' }, /^out\.py\.liquid: uses nix, which is no variable/],
    ['a variable that nobody uses', { body: '', variables: { text } }, /^variables\.text: is used nowhere/],
    [
      'a variable without an example',
      { body: '{{ n }}', variables: { n: { type: 'identifier' } } },
      /^variables\.n\.examples: there is none/,
    ],
    [
      'an example of another type',
      { body: '{{ n }}', variables: { n: { type: 'integer', examples: ['1'] } } },
      /^variables\.n: example 1 must be a whole number/,
    ],
    [
      'a second example of another type',
      { body: '{{ n }}', variables: { n: { type: 'integer', examples: [1, 'x'] } } },
      /^variables\.n: example 2 must be a whole number/,
    ],
    [
      'a default of another type',
      { body: '{{ n }}', variables: { n: { type: 'boolean', default: 'x', examples: [true] } } },
      /^variables\.n: example 2 must be true or false/,
    ],
    [
      'a body that it renders and that is not there',
      { body: "{% render 'head' %}" },
      /^out\.py\.liquid: there is no body head\.liquid/,
    ],
    ['a partial that does not parse', { body: "{% render 'head' %}", partials: { head: '{% fi %}' } }, /head\.liquid/],
    ['code that does not parse', { body: 'def f(:\n' }, /^out\.py\.liquid: example 1, out\.py line 1: syntax: /],
    [
      'a path that leads out',
      { body: '', path: '../out.py' },
      /^outputs\.0\.path: example 1: Cannot use "\.\.\/out\.py"/,
    ],
    [
      'a path that is protected',
      { body: '', path: '.git/hooks/pre-commit' },
      /^outputs\.0\.path: Cannot write "\.git\/hooks\/pre-commit"/,
    ],
    [
      'a path that is a folder of the work tree',
      { body: '', path: '.' },
      /^outputs\.0\.path: example 1: Cannot use path/,
    ],
    ['a step that is no command', { body: '', after: ['rm'] }, /^after\.0: "rm" is no command of millwright\.json/],
    [
      'a rule that is wrong',
      { body: '', rules: { forbidden_pattern: [{ pattern: '(?=x)', message: 'm' }] } },
      /^rules: Cannot read the rules of the template/,
    ],
    [
      'a rule of its own that its example breaks',
      { body: 'def f():\n    return 1\n', rules: { severities: { missing_docs: 'error' } } },
      /^out\.py\.liquid: example 1, out\.py line 1: template:missing_docs/,
    ],
  ])('is not valid with %s', async (_what, parts, problem) => {
    const problems = await problemsOf(parts)
    expect(problems[0]).toMatch(problem)
  })

  // The examples are tame; only other values show it.
  it.each([
    ['prints a text as it is', '{{ text }}\n', 'say what it becomes'],
    ['prints a docstring as a string', 'x = "{{ text | docstring }}"\n', 'does not parse'],
    ['prints a comment outside of one', '{{ text | comment }} = 1\n', 'does not parse'],
    ['prints prose where code is', 'x = {{ text | md }}\n', 'does not parse'],
  ])('is not valid where it %s', async (_what, body, problem) => {
    const variables = { text: { type: 'string', examples: ['tame'] } }
    const [first] = await problemsOf({ variables, body })
    expect(first).toMatch(/^out\.py\.liquid(:1)?: with quotes and line ends in the texts/)
    expect(first).toContain(problem)
  })

  it('may print a text as it is that has a pattern for it', async () => {
    const variables = { text: { type: 'string', pattern: '[a-z.]+', examples: ['a.b'] } }
    expect(await problemsOf({ variables, body: 'import {{ text }}\n' })).toEqual([])
  })

  it('is held to the rules of the repository', async () => {
    world.repository.write(
      'millwright.json',
      '{"checks": {"forbidden_pattern": [{"pattern": "print", "message": "No print"}]}}',
    )
    const problems = await problemsOf({ body: 'print(1)\n' })
    world.repository.write('millwright.json', '{}')
    expect(problems).toEqual(['out.py.liquid: example 1, out.py line 1: forbidden_pattern: No print'])
  })
})
