import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { AppError, invalidInput } from '#shared/errors.ts'
import { catalogue, findTool } from '#shared/tools/catalogue.ts'
import { type ToolDeclaration, toInputJsonSchema } from '#shared/tools/define-tool.ts'
import { type GroupDraft, parseJson, startGroup, toDraft } from './draft.ts'
import { toHint, toLabel } from './field-words.ts'
import { type Json, toArgumentsPlan, toPlan } from './plan.ts'
import { type Issue, readDraft } from './read-draft.ts'
import { issuesOfRefusal } from './server-issues.ts'

const declaration = (name: string): ToolDeclaration => {
  const tool = findTool(name)
  if (tool === undefined) throw new Error(`No tool ${name}`)
  return tool
}
const planOf = (name: string) => toArgumentsPlan(toInputJsonSchema(declaration(name)))

function read(name: string, draft: GroupDraft): { value: Json | undefined; issues: Issue[] } {
  const issues: Issue[] = []
  const value = readDraft(planOf(name), draft, true, issues)
  return { value, issues }
}

/** What the form makes of arguments that somebody wrote as JSON. */
function throughForm(name: string, args: Json): { value: Json | undefined; issues: Issue[]; gaps: string[] } {
  const gaps: string[] = []
  const draft = toDraft(planOf(name), args, '', gaps)
  if (typeof draft === 'string' || draft.kind !== 'group') throw new Error('No form')
  return { ...read(name, draft), gaps }
}

const filled = (name: string, fields: GroupDraft['fields']): GroupDraft => {
  const start = startGroup(planOf(name))
  return { ...start, fields: { ...start.fields, ...fields } }
}

describe('the form of a tool', () => {
  it.each(catalogue.map(({ name }) => name))('offers every argument of %s by its kind', (name) => {
    const plan = planOf(name)
    const schema = toInputJsonSchema(declaration(name))
    expect(plan.fields.map((field) => field.name)).toEqual(Object.keys(Object(schema.properties)))
    // No argument of ours is so unusual that it could only be written as JSON.
    expect(plan.fields.filter((field) => field.plan.kind === 'any')).toEqual([])
    const { issues } = read(name, startGroup(plan))
    for (const { path } of issues) expect(schema.required).toContain(path.split('.')[0])
  })

  it.each<[string, Json]>([
    ['create_agent', { agent_id: 'a', name: 'A', managed_file: 'a.py', system_prompt: '' }],
    [
      'update_file',
      {
        path: 'a',
        edits: [
          { search: 'x', replace: '' },
          { search: 'y\n', replace: 'z', all: true },
        ],
      },
    ],
    ['chat_with_agent', { agent_id: 'a', message: 'Do', context: { 'a.b': 'b.py' }, mode: 'ask', wait_seconds: 0.5 }],
    [
      'generate_from_template',
      { template: 't', variables: { name: 'X', count: 3, quoted: '3', deep: { list: [1, [2]] } } },
    ],
    ['orchestrate_improvement', { goal: 'tidy', budget: { minutes: 5 }, paths: ['src'], keep_agents: false }],
    ['git_status', {}],
  ])('gives back the arguments of %s as they were written', (name, args) => {
    expect(throughForm(name, args)).toEqual({ value: args, issues: [], gaps: [] })
  })

  it.each<[string, Json, string[]]>([
    ['git_log', { limit: 'many' }, ['limit']],
    ['git_log', { limit: 3, colour: 'red' }, ['colour']],
    ['update_agent', { agent_id: 'a', system_prompt: '' }, ['system_prompt']],
    ['update_file', { path: 'a', edits: [{ search: 1, replace: 'x' }] }, ['edits.0.search']],
    ['list_jobs', { state: 'asleep' }, ['state']],
    ['git_status', [], ['(whole)']],
  ])('names what it has no place for: %s %j', (name, args, gaps) => {
    const found: string[] = []
    toDraft(planOf(name), args, '', found)
    expect(found).toEqual(gaps)
  })

  it.each<[string, GroupDraft['fields'], Issue[]]>([
    ['get_agent_info', { agent_id: '' }, [{ path: 'agent_id', message: 'Is needed' }]],
    [
      'get_agent_info',
      { agent_id: '-x' },
      [{ path: 'agent_id', message: 'Must be 1 to 64 letters, digits, dashes or underscores' }],
    ],
    ['git_log', { limit: '0' }, [{ path: 'limit', message: 'Must be at least 1' }]],
    ['git_log', { limit: '201' }, [{ path: 'limit', message: 'Must be at most 200' }]],
    ['git_log', { limit: '1.5' }, [{ path: 'limit', message: 'Must be a whole number' }]],
    ['git_log', { limit: 'x' }, [{ path: 'limit', message: 'Must be a number' }]],
    [
      'search_files',
      { pattern: 'x'.repeat(1001) },
      [{ path: 'pattern', message: 'At most 1,000 characters: 1,001 now' }],
    ],
    ['update_file', { path: 'a', edits: { kind: 'list', items: [] } }, [{ path: 'edits', message: 'Add at least 1' }]],
    [
      'git_commit',
      {
        message: 'm',
        paths: {
          kind: 'list',
          items: [
            { key: 1, draft: 'a' },
            { key: 2, draft: '' },
          ],
        },
      },
      [{ path: 'paths.1', message: 'Is needed' }],
    ],
    [
      'chat_with_agent',
      { agent_id: 'a', message: 'm', context: { kind: 'map', entries: [{ key: 1, name: '', draft: 'a' }] } },
      [{ path: 'context', message: 'Each entry needs a name' }],
    ],
    [
      'chat_with_agent',
      {
        agent_id: 'a',
        message: 'm',
        context: { kind: 'map', entries: ['x', 'x'].map((name, key) => ({ key, name, draft: 'a' })) },
      },
      [{ path: 'context', message: 'Two entries have the name "x"' }],
    ],
  ])('says what is wrong where, before anything is sent: %s %#', (name, fields, issues) => {
    expect(read(name, filled(name, fields)).issues).toEqual(issues)
  })

  it('leaves out what was left open, and keeps an empty text that is needed', () => {
    expect(read('update_agent', filled('update_agent', { agent_id: 'a' })).value).toEqual({ agent_id: 'a' })
    const content = filled('write_file', { path: 'a', content: '' })
    expect(read('write_file', content)).toEqual({ value: { path: 'a', content: '' }, issues: [] })
  })
})

describe('a schema of another server', () => {
  it('is offered as far as it can be', () => {
    const plan = toPlan({
      type: 'object',
      $defs: { Point: { type: 'object', properties: { x: { type: 'number', default: 3 } }, required: ['x'] } },
      properties: {
        at: { $ref: '#/$defs/Point' },
        size: { anyOf: [{ type: 'integer', title: 'Pixels' }, { type: 'string' }] },
        note: { type: ['string', 'null'] },
        odd: { not: {} },
      },
      required: ['at'],
    })
    if (plan.kind !== 'group') throw new Error('No group')
    expect(plan.fields.map(({ plan: { kind } }) => kind)).toEqual(['group', 'union', 'union', 'any'])
    const issues: Issue[] = []
    expect(readDraft(plan, startGroup(plan), true, issues)).toEqual({ at: { x: 3 } })
    const args: Json = { at: { x: 1 }, size: 'large', note: null, odd: { a: [true] } }
    const gaps: string[] = []
    expect(readDraft(plan, toDraft(plan, args, '', gaps), true, issues)).toEqual(args)
    expect([issues, gaps]).toEqual([[], []])
  })

  it.each([
    ['a schema within itself', { $ref: '#' }],
    ['a reference to nowhere', { $ref: '#/$defs/None' }],
    ['another document', { $ref: 'other.json' }],
    ['no schema', 17],
  ])('takes JSON for %s', (_what, schema) => {
    expect(toPlan(schema)).toEqual({ kind: 'any' })
  })
})

describe('what the server found wrong', () => {
  it('is put beside the fields that it names', () => {
    const { input, name } = declaration('update_file')
    const { issues = [] } = v.safeParse(input, { path: '', edits: [{ replace: 3 }], color: 1 })
    const found = issuesOfRefusal(invalidInput(`the arguments of ${name}`, issues))
    expect(found.map(({ path }) => path)).toEqual(['path', 'edits.0.search', 'edits.0.replace', 'color'])
    expect(found[2]?.message).toBe('Expected string, received number')
  })

  it('is for the form as a whole where it concerns several fields', () => {
    const { input, name } = declaration('validate_file')
    const { issues = [] } = v.safeParse(input, { content: 'x' })
    const found = issuesOfRefusal(invalidInput(`the arguments of ${name}`, issues))
    expect(found).toContainEqual({ path: '', message: 'Content and file_path belong together' })
  })

  it('is nothing where the refusal is about something else', () => {
    expect(issuesOfRefusal(new AppError('invalid_input', 'Cannot read "a: b": it is no text'))).toEqual([])
    expect(issuesOfRefusal(new AppError('not_found', 'Cannot read the arguments of x: path: no'))).toEqual([])
  })
})

describe('words', () => {
  it('makes labels and hints of what the schema has', () => {
    expect(['agent_id', 'expected_sha256', 'goal'].map(toLabel)).toEqual(['Agent ID', 'Expected SHA256', 'Goal'])
    expect(toHint({ kind: 'number', isWhole: true, min: 1, max: 1000, description: 'Lines' })).toBe('Lines. 1 to 1,000')
    expect(toHint({ kind: 'number', isWhole: true, min: 0, max: Infinity })).toBe('At least 0')
    expect(toHint({ kind: 'yes_no' })).toBeUndefined()
    expect(parseJson('{')).toBeUndefined()
  })
})
