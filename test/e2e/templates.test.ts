import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBubblewrapForTests } from '#test/support/bubblewrap.ts'
import { jobEnd, type LiveStack, startLiveStack } from '#test/support/live-stack.ts'
import type { Fields, ToolAnswer } from '#test/support/mcp.ts'
import { type OpenAiServer, startOpenAiServer } from '#test/support/openai-server.ts'
import { createScriptedModel, type ScriptedModel } from '#test/support/scripted-model.ts'
import { hashTree } from '#test/support/temp-repository.ts'

// The family `templates` over MCP: the stack as it is, and a model that says what it is told.

const draft = {
  name: 'Named constants',
  description: 'A module of constants',
  variables: [
    {
      name: 'Module Name',
      type: 'identifier',
      description: 'Of the file',
      examples: ['limits'],
      choices: [],
      fields: [],
    },
    {
      name: 'about',
      type: 'string',
      description: 'What they are',
      examples: ['Limits of "it".'],
      choices: [],
      fields: [],
    },
    {
      name: 'constants',
      type: 'objects',
      description: 'Each of them',
      examples: ['x'],
      choices: [],
      fields: [
        { name: 'name', type: 'identifier', example: 'retries' },
        { name: 'value', type: 'integer', example: '3' },
      ],
    },
    { name: 'unused', type: 'boolean', description: 'Nothing', examples: ['true'], choices: [], fields: [] },
  ],
  outputs: [{ path: '{{ module_name | snake_case }}.py', purpose: 'the constants' }],
  rules: ['missing_docs'],
}
const fence = (text: string): string => `\`\`\`\n${text}\`\`\``
const loop = '{% for each in constants %}\n{{ each.name | constant_case }} = {{ each.value }}\n{% endfor %}\n'
const body = `"""{{ about | docstring }}"""\n\n${loop}`

const script = [
  // Of the first draft the path leads out; of the first body a text is printed as it is.
  JSON.stringify({ ...draft, outputs: [{ path: '../{{ module_name }}.py', purpose: 'x' }] }),
  JSON.stringify(draft),
  fence(`"""{{ about }}"""\n${loop}`),
  fence(body),
  // The second description is never understood.
  'I would rather not.',
]

const bubblewrap = await findBubblewrapForTests()
const before = process.env.MILLWRIGHT_BWRAP
let model: ScriptedModel
let server: OpenAiServer
let live: LiveStack
let out: string
beforeAll(async () => {
  if ('binary' in bubblewrap) process.env.MILLWRIGHT_BWRAP = bubblewrap.binary
  model = createScriptedModel(script)
  server = await startOpenAiServer({ model })
  live = await startLiveStack({ model: [`openai:${server.url}#demo`], files: { 'owned.py': 'x = 1\n' } })
  out = join(live.repository.folder, 'out')
  mkdirSync(out)
  await live.own('owned.py')
}, 60_000)
afterAll(async () => {
  if (before === undefined) delete process.env.MILLWRIGHT_BWRAP
  else process.env.MILLWRIGHT_BWRAP = before
  await live?.stop()
  await server?.close()
})

const call = (name: string, args: Fields): Promise<ToolAnswer> => live.client.call(name, args)
const codeOf = async (name: string, args: Fields): Promise<string | undefined> => (await call(name, args)).error?.code
const generate = (template: string, variables: Fields, more: Fields = {}): Promise<ToolAnswer> =>
  call('generate_from_template', { template, variables, ...more })
const writeTemplate = (name: string, spec: Fields, bodies: Record<string, string>): void => {
  live.repository.write(
    `templates/${name}/template.json`,
    JSON.stringify({ description: name, variables: {}, ...spec }),
  )
  for (const [file, text] of Object.entries(bodies)) live.repository.write(`templates/${name}/${file}`, text)
}
const point = { name: 'Point', description: 'A place.', fields: [{ name: 'x', kind: 'number' }] }

describe('list_templates', () => {
  it('shows those that come with Millwright and those of the repository, also broken ones', async () => {
    writeTemplate('own', { outputs: [{ path: 'own.txt', file: 'own.liquid' }] }, { 'own.liquid': 'own\n' })
    live.repository.write('templates/broken/template.json', '{ "outputs": [] }')
    live.repository.write('templates/no-template/readme.md', 'x\n')
    live.repository.write('templates/page.html', '<p>\n')
    const answer = await call('list_templates', {})
    const templates = answer.fields.templates as Fields[]
    expect(templates).toHaveLength(12)
    expect(templates.find(({ name }) => name === 'own')).toMatchObject({ source: 'repository', outputs: ['own.txt'] })
    expect(templates.find(({ name }) => name === 'broken')).toMatchObject({
      problem: expect.stringContaining('description'),
    })
    expect(templates.find(({ name }) => name === 'python-class')).toMatchObject({
      source: 'builtin',
      problem: null,
      variables: expect.arrayContaining([
        expect.objectContaining({
          name: 'fields',
          required: true,
          type: 'list of {name: identifier, kind?: text|integer|number|flag|texts, description?: string}',
        }),
      ]),
    })
    expect(answer.text).toContain('own (repository): own -> own.txt')
    expect(answer.text).toContain('broken (repository) cannot be used')
  })

  it('leaves out what no answer holds, but none of those that come with Millwright', async () => {
    const example = 'x'.repeat(2000)
    const variables = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`v${at}`, { type: 'string', examples: Array(3).fill(example) }]),
    )
    for (const name of ['aa-1', 'aa-2', 'aa-3'])
      writeTemplate(name, { variables, outputs: [{ path: 'x', file: 'x.liquid' }] }, { 'x.liquid': '' })
    const answer = await call('list_templates', {})
    for (const name of ['aa-1', 'aa-2', 'aa-3'])
      rmSync(join(live.repository.root, 'templates', name), { recursive: true })
    const names = (answer.fields.templates as Fields[]).map(({ name }) => name)
    expect(answer.fields.truncated).toBe(true)
    expect(names).toEqual(expect.arrayContaining(['aa-1', 'aa-2', 'vitest-suite']))
    expect(names).not.toContain('aa-3')
  })

  it('finds them in the folder that millwright.json names', async () => {
    live.repository.write(
      'kit/other/template.json',
      JSON.stringify({ description: 'o', variables: {}, outputs: [{ path: 'o.txt', file: 'o.liquid' }] }),
    )
    live.repository.write('kit/other/o.liquid', 'o\n')
    live.repository.write('millwright.json', '{ "templates": { "folder": "kit/" } }')
    const names = ((await live.client.ok('list_templates', {})).templates as Fields[]).map(({ name }) => name)
    live.repository.write('millwright.json', '{}')
    expect(names).toContain('other')
    expect(names).not.toContain('own')
  })
})

describe('generate_from_template', () => {
  it('writes a file, says what it is, and the same call again changes nothing', async () => {
    const answer = await generate('python-dataclass', point)
    expect(answer.fields).toMatchObject({
      template: 'python-dataclass',
      source: 'builtin',
      dry_run: false,
      files: [{ path: 'point.py', action: 'created', checks: { passed: true, violations: [] } }],
      diff: expect.stringContaining('+class Point:'),
      diff_truncated: false,
      after: [],
    })
    expect(live.repository.read('point.py')).toContain('class Point:')
    expect((await generate('python-dataclass', point)).fields).toMatchObject({
      files: [{ action: 'unchanged' }],
      diff: '',
    })
    const other = await generate('python-dataclass', { ...point, description: 'Another.' })
    expect(other.error).toMatchObject({ code: 'already_exists', hint: expect.stringContaining('output_path') })
    expect(live.repository.read('point.py')).toContain('A place.')
  })

  it('writes nothing with dry_run', async () => {
    const hash = hashTree(live.repository.root)
    const answer = await generate('python-class', { ...point, name: 'Dry' }, { dry_run: true })
    expect(answer.fields).toMatchObject({ dry_run: true, files: [{ path: 'dry.py', action: 'created' }] })
    expect(hashTree(live.repository.root)).toBe(hash)
  })

  it('puts a file where output_path says', async () => {
    const answer = await generate('python-class', { ...point, name: 'Placed' }, { output_path: 'src/deep/place.py' })
    expect(answer.fields).toMatchObject({ files: [{ path: 'src/deep/place.py' }] })
    expect(
      await codeOf('generate_from_template', { template: 'python-class', variables: point, output_path: '../x.py' }),
    ).toBe('outside_repository')
    expect(
      await codeOf('generate_from_template', { template: 'python-class', variables: point, output_path: '.git/x.py' }),
    ).toBe('protected_path')
  })

  it('changes a file of an agent only as that agent', async () => {
    const args = { template: 'python-class', variables: point, output_path: 'owned.py' }
    expect(await codeOf('generate_from_template', args)).toBe('not_owner')
    expect(await codeOf('generate_from_template', { ...args, agent_id: 'nobody' })).toBe('not_found')
    expect(await codeOf('generate_from_template', { ...args, output_path: 'free.py', agent_id: 'owned' })).toBe(
      'not_owner',
    )
    expect(await codeOf('generate_from_template', { ...args, agent_id: 'owned' })).toBe('already_exists')
    await live.own('fresh.py')
    const answer = await generate('python-class', point, { output_path: 'fresh.py', agent_id: 'fresh' })
    expect(answer.fields).toMatchObject({ files: [{ path: 'fresh.py', action: 'created' }] })
  })

  it('replaces a file as its template says', async () => {
    const readme = { title: 'Kit', description: 'One.', folder: 'kit' }
    await generate('module-readme', readme)
    const changed = { ...readme, description: 'Two.' }
    expect(await codeOf('generate_from_template', { template: 'module-readme', variables: changed })).toBe(
      'already_exists',
    )
    expect((await generate('module-readme', changed, { overwrite: true })).fields).toMatchObject({
      files: [{ action: 'replaced' }],
    })

    const outputs = [{ path: 'gen.txt', file: 'g.liquid', overwrite: 'if_unchanged' }]
    writeTemplate('again', { variables: { n: { type: 'integer' } }, outputs }, { 'g.liquid': 'n {{ n }}\n' })
    await generate('again', { n: 1 })
    expect((await generate('again', { n: 2 })).fields).toMatchObject({ files: [{ action: 'replaced' }] })
    live.repository.write('gen.txt', 'by hand\n')
    expect((await generate('again', { n: 3 }, { overwrite: true })).error).toMatchObject({ code: 'already_exists' })
    expect(live.repository.read('gen.txt')).toBe('by hand\n')
  })

  it('lands several files or none', async () => {
    const outputs = [
      { path: 'pair/a.py', file: 'a.liquid' },
      { path: 'pair/{{ second | snake_case }}.py', file: 'b.liquid' },
    ]
    const variables = { second: { type: 'identifier' }, text: { type: 'string', default: '' } }
    writeTemplate('pair', { variables, outputs }, { 'a.liquid': 'A = 1\n', 'b.liquid': 'B = {{ text | py_string }}\n' })
    live.repository.write('pair/taken.py', 'mine = 1\n')
    expect((await generate('pair', { second: 'taken' })).error?.code).toBe('already_exists')
    // A key in the second one.
    const key = `AKIA${'ABCDEFGHIJKLMNOP'}`
    const refused = await generate('pair', { second: 'keyed', text: key })
    expect(refused.error).toMatchObject({
      code: 'checks_failed',
      details: {
        files: [
          { path: 'pair/a.py', checks: { passed: true } },
          { path: 'pair/keyed.py', checks: { passed: false } },
        ],
      },
    })
    expect((await generate('pair', { second: 'a' })).error?.code).toBe('invalid_input')
    expect(live.repository.exists('pair/a.py')).toBe(false)
    const answer = await generate('pair', { second: 'ok' }, { output_path: 'below' })
    expect(answer.fields).toMatchObject({ files: [{ path: 'below/pair/a.py' }, { path: 'below/pair/ok.py' }] })
    expect(live.repository.read('below/pair/ok.py')).toBe('B = ""\n')
  })

  it("holds a file to its template's own rules", async () => {
    const rules = { line_limit: { lines: 3 }, forbidden_pattern: [{ pattern: 'TODO', message: 'Do it' }] }
    const variables = { x: { type: 'string' } }
    writeTemplate(
      'ruled',
      { variables, rules, outputs: [{ path: 'ruled.py', file: 'r.liquid' }] },
      { 'r.liquid': '# {{ x | comment }}\n' },
    )
    expect((await generate('ruled', { x: 'TODO' })).error).toMatchObject({
      code: 'checks_failed',
      message: expect.stringContaining('template:forbidden_pattern: Do it'),
    })
    expect((await generate('ruled', { x: 'done' })).success).toBe(true)
  })

  it('names every value that is wrong', async () => {
    const fields = [
      { name: 'class', kind: 'text' },
      { kind: 'x', more: 1 },
    ]
    const { error } = await generate('python-class', { name: 'a b', fields })
    expect(error?.code).toBe('invalid_input')
    for (const part of [
      'variables.name must be a name in code',
      'variables.description is missing',
      'variables.fields.0.name',
      'variables.fields.1.kind must be one of',
    ])
      expect(error?.message).toContain(part)
    expect((await generate('nothing', {})).error).toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining('python-class'),
    })
  })
})

describe('hostile templates and values', () => {
  const marker = (): string => join(live.repository.folder, 'pwned')
  const values = (): Record<string, string> => ({
    T03: `<%= global.process.mainModule.require('child_process').execSync('touch ${marker()}') %>`,
    T04: '$' + '{process.env.HOME}',
    T11: `*/ require('child_process').exec('touch ${marker()}') /*`,
    liquid: "{% include '/etc/passwd' %}{{ 7 | times: 7 }}",
    python: `"""\nimport os; os.system('touch ${marker()}')\n"""`,
  })

  it.each(['T03', 'T04', 'T11', 'liquid', 'python'])('%s is text in every file', async (id) => {
    const description = values()[id] ?? ''
    const name = `Case${id}`
    const field = [{ name: 'a' }]
    const made: string[] = []
    for (const [template, variables] of [
      ['python-module', { name, description, options: [{ name: 'a', description }] }],
      ['python-class', { name: `${name}Class`, description, fields: [{ name: 'a', description }] }],
      ['python-crud-api', { name, description, fields: field }],
      ['typescript-module', { name, description, fields: [{ name: 'a', description }] }],
      ['hono-route', { name, description, fields: field }],
      ['mcp-tool', { name, description }],
      ['module-readme', { title: 'T', description, folder: `readme/${id}` }],
    ] as const) {
      const { fields } = await generate(template, variables)
      made.push(...(fields.files as { path: string }[]).map(({ path }) => path))
    }
    expect(made).toHaveLength(7)
    const pathOf = (path: string): string => join(live.repository.root, path)
    symlinkSync(join(process.cwd(), 'node_modules'), join(live.repository.folder, 'node_modules'), 'dir')
    try {
      for (const path of made.filter((each) => each.endsWith('.ts')))
        execFileSync(process.execPath, ['--input-type=module', '-e', `await import(${JSON.stringify(pathOf(path))})`])
    } finally {
      unlinkSync(join(live.repository.folder, 'node_modules'))
    }
    expect(existsSync(marker())).toBe(false)
    const shown = made.map((path) => live.repository.read(path)).join('\n')
    // As it was said; in Markdown with marks that nobody sees.
    if (id === 'T04') expect(shown.match(/\{process\.env\.HOME\}/g)).toHaveLength(11)
    if (id === 'liquid') expect(shown).not.toContain('49\n')
  })

  it.each(['../../out/secret.txt', '/etc/passwd', 'link.tpl', '..', 'a/b', '__proto__', 'python-class/../own', 'Own'])(
    'T06: %j is no template',
    async (template) => {
      const answer = await generate(template, {})
      expect(['invalid_input', 'not_found']).toContain(answer.error?.code)
      expect((await call('validate_template', { template })).error?.code).toBe(answer.error?.code)
    },
  )

  it('T07: a link that leads out is no template', async () => {
    const canary = 'CANARY-7d1f'
    mkdirSync(join(out, 'outer'))
    const spec = { description: canary, variables: {}, outputs: [{ path: 'o.txt', file: 'o.liquid' }] }
    writeFileSync(join(out, 'outer', 'template.json'), JSON.stringify(spec))
    writeFileSync(join(out, 'outer', 'o.liquid'), canary)
    writeFileSync(join(out, 'secret.txt'), canary)
    const { root } = live.repository
    symlinkSync(join(out, 'outer'), join(root, 'templates', 'linked'))
    mkdirSync(join(root, 'templates', 'half'))
    symlinkSync(join(out, 'outer', 'template.json'), join(root, 'templates', 'half', 'template.json'))
    writeTemplate('body-linked', { outputs: [{ path: 'o.txt', file: 'o.liquid' }] }, {})
    symlinkSync(join(out, 'secret.txt'), join(root, 'templates', 'body-linked', 'o.liquid'))
    const answers = [await call('list_templates', {})]
    for (const template of ['linked', 'half', 'body-linked']) {
      const answer = await generate(template, {})
      expect(answer.success, template).toBe(false)
      answers.push(answer, await call('validate_template', { template }))
    }
    expect(JSON.stringify(answers)).not.toContain(canary)
    expect(live.repository.exists('o.txt')).toBe(false)
  })

  it('T09: a template that never ends is stopped', async () => {
    const endless = '{% for i in (1..1000000000) %}x{% endfor %}\n'
    const spec = { name: 'endless', description: 'e', variables: {}, outputs: [{ path: 'e.txt', body: endless }] }
    expect(await live.client.ok('validate_template', { spec })).toMatchObject({
      valid: false,
      problems: [{ where: 'e.txt.liquid:1', message: expect.stringContaining('memory alloc limit exceeded') }],
    })
    writeTemplate('endless', { outputs: [{ path: 'e.txt', file: 'e.liquid' }] }, { 'e.liquid': endless })
    expect((await generate('endless', {})).error?.code).toBe('invalid_input')
    expect(live.repository.exists('e.txt')).toBe(false)
    // The worker is as quick as before.
    expect((await generate('own', {}, { dry_run: true })).success).toBe(true)
  })

  it('T12: code is no name', async () => {
    for (const template of ['python-class', 'typescript-module', 'mcp-tool'])
      expect((await generate(template, { ...point, name: 'x(){};eval(1);function y' })).error).toMatchObject({
        code: 'invalid_input',
        message: expect.stringContaining('variables.name must be a name in code'),
      })
  })

  it('refuses NUL and half a surrogate pair', async () => {
    for (const description of ['a\0b', '\ud800'])
      expect((await generate('python-class', { ...point, description })).error?.code).toBe('invalid_input')
  })
})

const spec = {
  name: 'constant',
  description: 'A constant',
  variables: { name: { type: 'identifier', examples: ['limit'] }, text: { type: 'string', examples: ['a "b"'] } },
  outputs: [
    {
      path: '{{ name | snake_case }}_constant.py',
      body: "{% render 'head', text: text %}{{ name | constant_case }} = {{ text | py_string }}\n",
    },
  ],
  partials: { head: '"""{{ text | docstring }}"""\n\n' },
  rules: { severities: { missing_docs: 'error' } },
}

describe('validate_template', () => {
  it('tries the examples of a spec and writes nothing', async () => {
    const hash = hashTree(live.repository.root)
    expect(await live.client.ok('validate_template', { spec })).toEqual({
      template: 'constant',
      valid: true,
      problems: [],
      rendered: [{ path: 'limit_constant.py', line_count: 3 }],
    })
    const printed = { ...spec, outputs: [{ path: 'a.py', body: '{{ name }} = "{{ text }}"\n' }], partials: {} }
    const answer = await call('validate_template', { spec: printed })
    expect(answer.fields).toMatchObject({
      valid: false,
      problems: [{ where: 'a.py.liquid:1', hint: expect.any(String) }],
    })
    expect(answer.text).toContain('not valid')
    expect(hashTree(live.repository.root)).toBe(hash)
  })

  it('tries the templates by name', async () => {
    expect(await live.client.ok('validate_template', { template: 'hono-route' })).toMatchObject({ valid: true })
    expect((await call('validate_template', { template: 'broken' })).error?.code).toBe('invalid_input')
  })
})

describe('template_from_spec', () => {
  it('writes a template that can be used, and never over one', async () => {
    const made = await live.client.ok('template_from_spec', { spec })
    const files = [
      'templates/constant/head.liquid',
      'templates/constant/name_constant.py.liquid',
      'templates/constant/template.json',
    ]
    expect(made).toMatchObject({
      state: 'succeeded',
      template: 'constant',
      files,
      problems: [],
      attempts: 0,
      usage: null,
    })
    const answer = await generate('constant', { name: 'maxSize', text: 'it\'s "big"' })
    expect(answer.fields).toMatchObject({ source: 'repository', files: [{ path: 'max_size_constant.py' }] })
    expect(live.repository.read('max_size_constant.py')).toBe('"""it\'s "big\\""""\n\nMAX_SIZE = "it\'s \\"big\\""\n')
    const other = { ...spec, description: 'Another' }
    expect((await call('template_from_spec', { spec: other })).error?.code).toBe('already_exists')
  })

  it('refuses one that is not valid, and writes nothing', async () => {
    const wrong = {
      ...spec,
      name: 'wrong',
      outputs: [{ path: 'a.py', body: 'def {{ name }}(:\n{{ text | docstring }}' }],
      partials: {},
    }
    expect((await call('template_from_spec', { spec: wrong })).error).toMatchObject({
      code: 'checks_failed',
      details: { problems: [expect.objectContaining({ where: 'a.py.liquid' })] },
    })
    expect((await call('template_from_spec', { spec: { ...spec, nmae: 'x' } })).error?.code).toBe('invalid_input')
    expect((await call('template_from_spec', { spec: { ...spec, name: '../../out' } })).error?.code).toBe(
      'invalid_input',
    )
    expect(live.repository.exists('templates/wrong')).toBe(false)
  })

  it('has the model make one: a spec in JSON, each body in a fence, what is wrong told to it', async () => {
    const { job_id } = await live.client.ok('template_from_spec', {
      description: 'A module of constants',
      wait_seconds: 0,
    })
    const { result, error } = await jobEnd(live.client, String(job_id))
    expect(error).toBeNull()
    expect(result).toMatchObject({
      template: 'named-constants',
      files: ['templates/named-constants/module_name.py.liquid', 'templates/named-constants/template.json'],
      rendered: [{ path: 'limits.py', line_count: 3 }],
      attempts: 4,
      usage: { model: 'demo' },
    })
    const told = model.requests.map(({ turns }) => turns.at(-1)?.text)
    expect(told[1]).toMatch(/Checks failed[\s\S]*outputs\.0\.path: .*"\.\."/)
    expect(told[3]).toMatch(/Checks failed[\s\S]*py_string/)
    expect(model.requests.map(({ grammar }) => grammar?.kind)).toEqual(['json', 'json', 'gbnf', 'gbnf'])
    // A variable that no body uses is left out.
    const variables = {
      module_name: 'sizes',
      about: '"""',
      constants: [
        { name: 'a', value: 1 },
        { name: 'b', value: 2 },
      ],
    }
    expect((await generate('named-constants', variables)).success).toBe(true)
    expect(live.repository.read('sizes.py')).toBe('"""\\"\\"\\""""\n\nA = 1\nB = 2\n')
  })

  it('says so where the model cannot, and writes nothing', async () => {
    const hash = hashTree(join(live.repository.root, 'templates'))
    const { error } = await call('template_from_spec', { description: 'Something else' })
    expect(error).toMatchObject({
      code: 'checks_failed',
      details: { attempts: 2, problems: [{ where: 'spec' }], reply: 'I would rather not.', usage: { model: 'demo' } },
    })
    expect(hashTree(join(live.repository.root, 'templates'))).toBe(hash)
  })
})

describe.skipIf('missing' in bubblewrap)(
  `steps after it${'missing' in bubblewrap ? `: ${bubblewrap.missing}` : ''}`,
  () => {
    // Content that no file has by itself.
    const program = `import os, sys
paths = [path for path in ("step/a.py", "step/b.py") if os.path.exists(path)]
sys.exit("both are bad" if sum("bad" in open(path).read() for path in paths) == 2 else 0)
`

    it('run on all the files, and take them back where a required one fails', async () => {
      live.repository.write('step.py', program)
      const commands = [
        { name: 'whole', run: ['/usr/bin/python3', 'step.py'], files: 'step/*.py' },
        { name: 'note', run: ['false'], files: 'step/*.py', severity: 'warning' },
        { name: 'each', run: ['/usr/bin/python3', '-m', 'ast', '{file}'], files: 'step/*.py' },
        { name: 'other', run: ['false'], files: '*.go' },
        { name: 'never', run: ['false'], files: 'step/*.py', severity: 'off' },
      ]
      live.repository.write('millwright.json', JSON.stringify({ checks: { commands } }))
      const outputs = ['a', 'b'].map((each) => ({ path: `step/${each}.py`, file: `${each}.liquid`, overwrite: 'ask' }))
      const bodies = { 'a.liquid': 'A = {{ x | py_string }}\n', 'b.liquid': 'B = {{ y | py_string }}\n' }
      const variables = { x: { type: 'string' }, y: { type: 'string' } }
      writeTemplate('steps', { variables, outputs, after: commands.map(({ name }) => name) }, bodies)
      const first = await generate('steps', { x: 'bad', y: 'good' })
      expect(first.fields.after).toEqual([
        { name: 'whole', passed: true, message: '' },
        { name: 'note', passed: false, message: expect.stringContaining('`false` failed with exit status 1') },
        { name: 'each', passed: true, message: '' },
        { name: 'other', passed: null, message: 'it is for none of the files' },
        { name: 'never', passed: null, message: 'switched off in millwright.json' },
      ])
      const dry = await generate('steps', { x: 'x', y: 'x' }, { overwrite: true, dry_run: true })
      expect((dry.fields.after as Fields[]).map(({ passed }) => passed)).toEqual([null, null, null, null, null])
      // Each is checked beside the other of before, which is good.
      live.repository.write('step/a.py', 'A = "old"\n')
      const refused = await generate('steps', { x: 'bad', y: 'bad' }, { overwrite: true })
      expect(refused.error).toMatchObject({
        code: 'checks_failed',
        message: expect.stringMatching(
          /step "whole" failed[\s\S]*both are bad[\s\S]*taken back: step\/b\.py, step\/a\.py/,
        ),
        details: { taken_back: ['step/b.py', 'step/a.py'], left: [] },
      })
      expect(live.repository.read('step/a.py')).toBe('A = "old"\n')
      expect(live.repository.read('step/b.py')).toBe('B = "good"\n')
    })

    it('that are no commands of millwright.json are refused', async () => {
      writeTemplate(
        'stranger',
        { outputs: [{ path: 's.txt', file: 's.liquid' }], after: ['rm'] },
        { 's.liquid': 's\n' },
      )
      expect((await generate('stranger', {})).error).toMatchObject({
        code: 'invalid_input',
        message: expect.stringContaining('"rm"'),
      })
      expect(await live.client.ok('validate_template', { template: 'stranger' })).toMatchObject({
        valid: false,
        problems: [{ where: 'after.0' }],
      })
      expect(live.repository.exists('s.txt')).toBe(false)
    })
  },
)
