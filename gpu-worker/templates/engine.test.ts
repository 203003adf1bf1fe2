import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createTemplateEngine } from './engine.ts'
import { ownFilters } from './filters.ts'

const render = (text: string, values: Record<string, unknown> = {}, bodies: Record<string, string> = {}) =>
  createTemplateEngine(new Map(Object.entries(bodies))).render(text, values)
const textOf = (...args: Parameters<typeof render>): string => {
  const rendered = render(...args)
  if ('fault' in rendered) throw new Error(`Not rendered: ${rendered.fault.message}`)
  return rendered.text
}
const faultOf = (...args: Parameters<typeof render>): string => {
  const rendered = render(...args)
  return 'fault' in rendered ? rendered.fault.message : `rendered: ${rendered.text.slice(0, 100)}`
}

describe('what is printed', () => {
  it.each([
    ['a word', 'user_name', 'user_name'],
    ['a path of words', 'src/a-b.c', 'src/a-b.c'],
    ['a number', -3, '-3'],
    ['a boolean', true, 'true'],
    ['nothing', '', ''],
  ])('is %s as it stands', (_what, x, shown) => {
    expect(textOf('{{ x }}', { x })).toBe(shown)
  })

  it.each(['a b', 'f()', "'", '"', '\\', '\n', 'a//b', '../a', 'a;b', '{{ 7 }}', '<%= 7 %>', '$' + '{x}', 'é'])(
    'is never %j without a filter that says what it becomes',
    (x) => {
      expect(faultOf('{{ x }}', { x })).toContain('say what it becomes')
      expect(faultOf('{{ x | append: "" }}', { x })).toContain('say what it becomes')
      // What a filter has made printable is a plain text again for the next one.
      expect(faultOf('{{ x | py_string | append: "" }}', { x })).toContain('say what it becomes')
      expect(faultOf('{% assign y = x %}{{ y }}', { x })).toContain('say what it becomes')
      expect(faultOf("{% render 'p', y: x %}", { x }, { p: '{{ y }}' })).toContain('say what it becomes')
      expect(textOf('{{ x | ts_string }}', { x })).toMatch(/^'.*'$/)
    },
  )

  it('is no list and no object', () => {
    expect(faultOf('{{ x }}', { x: ['a'] })).toContain('only texts, numbers and booleans')
    expect(faultOf('{{ x }}', { x: { a: 1 } })).toContain('only texts, numbers and booleans')
  })
})

describe('a Liquid text', () => {
  it('does not reach what its values inherit', () => {
    for (const path of ['constructor', '__proto__', 'toString', 'a.constructor', 'a.__proto__', 'list.push'])
      expect(faultOf(`{{ ${path} }}`, { a: 'x', list: [1] })).toMatch(/undefined variable|only texts/)
  })

  it.each(['include', 'layout', 'block', 'capture', 'echo', 'cycle', 'increment', 'decrement', 'tablerow', 'liquid'])(
    'has no tag %s',
    (tag) => {
      expect(faultOf(`{% ${tag} 'a' %}`, {}, { a: 'x' })).toBe(`tag "${tag}" not found`)
    },
  )

  it.each(['raw', 'date', 'sample', 'sha256', 'find_exp', 'strip_html', 'inspect', 'split', 'join', 'url_decode'])(
    'has no filter %s',
    (filter) => {
      expect(faultOf(`{{ 'a' | ${filter} }}`)).toBe(`undefined filter: ${filter}`)
    },
  )

  it('stops at variables that there are not', () => {
    expect(faultOf('{{ nothing }}')).toBe('undefined variable: nothing')
    expect(faultOf('{% if nothing %}{% endif %}')).toBe('undefined variable: nothing')
  })

  it('says on which line it is wrong', () => {
    const engine = createTemplateEngine(new Map())
    expect(engine.parse('a\n{% if x %}\n{% for y in z %}\n{{ y | nix }}\n')).toEqual({
      line: 4,
      message: 'undefined filter: nix',
    })
    expect(engine.parse('a\n{% if x %}b')).toMatchObject({ line: 2 })
    expect(engine.parse('a\n{% if x %}b{% endif %}')).toBeNull()
  })

  it('renders its own bodies, and no others', () => {
    const bodies = { 'part.py': 'x = {{ value }}\n', own: "{% render 'part.py', value: 2 %}" }
    expect(textOf("{% render 'part.py', value: 1 %}{% render own %}", {}, bodies)).toBe('x = 1\nx = 2\n')
    for (const name of [
      "'nix'",
      "'../part.py'",
      "'/etc/passwd'",
      "'constructor'",
      "'__proto__'",
      'part',
      "'../{{ n }}'",
    ])
      expect(faultOf(`{% render ${name} %}`, { n: 'own' }, bodies)).not.toMatch(/^rendered/)
  })

  it('reads no file, wherever one lies', () => {
    const here = readdirSync('.').find((name) => name === 'package.json')
    expect(here).toBe('package.json')
    expect(faultOf("{% render 'package.json' %}")).toBe('there is no body package.json.liquid')
  })

  it('names the variables that it takes from outside', () => {
    const engine = createTemplateEngine(new Map([['p', '{{ y }}{{ z }}']]))
    expect(
      engine.variables(
        "{% for a in b %}{{ a.c | md }}{% endfor %}{% assign d = 1 %}{{ d }}{% render 'p', y: e, z: 1 %}",
      ),
    ).toEqual({ names: ['b', 'e'] })
  })
})

describe('what a text may cost', () => {
  it.each([
    ['a loop over a thousand million', '{% for i in (1..1000000000) %}x{% endfor %}'],
    [
      'loops in loops',
      '{% for a in (1..1000) %}{% for b in (1..1000) %}{% for c in (1..1000) %}xxxxxxxxxx{% endfor %}{% endfor %}{% endfor %}',
    ],
    [
      'a text that doubles',
      "{% assign s = 'aaaaaaaaaa' %}{% for i in (1..60) %}{% assign s = s | append: s %}{% endfor %}{{ s }}",
    ],
    ['a body that renders itself', "{% render 'p' %}"],
    ['a body that renders itself twice', "{% render 'q' %}"],
    ['a text that is too long', `${'x'.repeat(70_000)}`],
    ['a result that is too long', `{% for a in (1..100) %}${'x'.repeat(20_000)}{% endfor %}`],
    ['tags without an end', '{% if true %}'.repeat(10_000)],
    ['many braces', '{{'.repeat(30_000)],
  ])('has limits for %s', (_what, text) => {
    const bodies = { p: "{% render 'p' %}", q: "{% render 'q' %}{% render 'q' %}" }
    expect(faultOf(text, {}, bodies)).not.toMatch(/^rendered/)
  })

  it.each([
    ['tags within tags', `${'{% if true %}'.repeat(2900)}x${'{% endif %}'.repeat(2000)}`],
    ['tags within tags, all closed', `${'{% if true %}'.repeat(2500)}x${'{% endif %}'.repeat(2500)}`],
    ['brackets within brackets', `{{ ${'a['.repeat(20_000)}1${']'.repeat(20_000)} }}`],
    ['many conditions', `{% if ${'true and '.repeat(7000)}true %}x{% endif %}`],
    ['many filters', `{{ 'a' ${'| upcase '.repeat(7000)} }}`],
  ])('breaks nothing: %s', (_what, text) => {
    const engine = createTemplateEngine(new Map())
    expect(Object.keys(engine.render(text, { a: 1 }))).toHaveLength(1)
    expect(engine.render('{{ a }}', { a: 1 })).toEqual({ text: '1' })
  })

  it('is bounded for all texts of a template together', () => {
    const engine = createTemplateEngine(new Map())
    const slow = '{% for a in (1..900) %}{% for b in (1..900) %}{% if a == b %}{% endif %}{% endfor %}{% endfor %}'
    const faults = Array.from({ length: 8 }, () => engine.render(slow, {})).map((each) => JSON.stringify(each))
    // The limit on time or that on memory, whichever is first: none is rendered in the end.
    expect(faults.at(-1)).toContain('limit exceeded')
  })

  it('is paid by one text alone: the next one is rendered', () => {
    const engine = createTemplateEngine(new Map())
    expect(engine.render('{% for i in (1..1000000000) %}x{% endfor %}', {})).toHaveProperty('fault')
    expect(engine.render('{% for i in (1..1000) %}{{ i }}{% endfor %}', {})).toHaveProperty('text')
  })
})

describe('filters of our own', () => {
  it.each([
    ['{{ x | snake_case }}', 'HTTPServerName', 'http_server_name'],
    ['{{ x | camel_case }}', 'user name', 'userName'],
    ['{{ x | pascal_case }}', 'user_name2', 'UserName2'],
    ['{{ x | constant_case }}', 'maxCount', 'MAX_COUNT'],
    ['{{ x | kebab_case }}', 'MaxCount', 'max-count'],
    ['{{ x | words }}', 'max_count', 'Max count'],
    // A keyword names nothing, and a digit begins no name.
    ['{{ x | snake_case }}', 'Class', 'class_'],
    ['{{ x | pascal_case }}', 'none', 'None_'],
    ['{{ x | snake_case }}', '2 things', '_2_things'],
    ['{{ x | snake_case }}', "x(){};eval(1)//'", 'x_eval_1'],
    ['{{ x | md_fence: "py" }}', '```\n', '````py\n```\n````'],
    ['{{ x | json }}', ['a"', 1], '["a\\"",1]'],
  ])('%s makes of %j %s', (text, x, shown) => {
    expect(textOf(text, { x })).toBe(shown)
  })

  it('refuse what they cannot take', () => {
    for (const name of Object.keys(ownFilters).filter((each) => !/data|json/.test(each)))
      expect(faultOf(`{{ x | ${name} }}`, { x: ['a'] }), name).toContain('takes a text')
    expect(faultOf('{{ x | snake_case }}', { x: '☃' })).toContain('no letter or digit')
    expect(faultOf("{{ x | docstring: 'a' }}", { x: 'a' })).toContain('number of columns')
    expect(faultOf('{{ x | md_fence: y }}', { x: 'a', y: '\n```\n' })).toContain('say what it becomes')
  })
})
