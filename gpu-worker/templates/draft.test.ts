import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGrammarMatcher, type GrammarMatcher } from '#test/support/grammar-matcher.ts'
import { jsonGrammar } from '../inference/json-grammar.ts'
import { draftSchema, readDraft } from './draft.ts'
import { parseSpec } from './spec.ts'

const variable = (more: object) => ({
  name: 'x',
  type: 'string',
  description: 'd',
  examples: ['e'],
  choices: [],
  fields: [],
  ...more,
})
const draft = (more: object) => ({
  name: 'n',
  description: 'd',
  variables: [variable({})],
  outputs: [{ path: 'a.py', purpose: 'p' }],
  rules: [],
  ...more,
})
const read = (value: object) => {
  const found = readDraft(JSON.stringify(value))
  if ('fault' in found) throw new Error(found.fault)
  return parseSpec(found.spec)
}

describe('the form of a draft', () => {
  let matcher: GrammarMatcher
  beforeAll(async () => {
    matcher = await createGrammarMatcher()
  })
  afterAll(() => matcher.close())

  it.each([
    [draft({})],
    [
      draft({
        rules: ['missing_docs', 'complexity'],
        variables: [variable({ type: 'objects', fields: [{ name: 'a', type: 'integer', example: '1' }] })],
      }),
    ],
  ])('is what the grammar takes, and what is read: %j', async (value) => {
    expect(await matcher.matches(jsonGrammar(draftSchema), JSON.stringify(value))).toBe(true)
    expect(read(value)).toMatchObject({ name: 'n' })
  })

  it.each([
    draft({ variables: [] }),
    draft({ outputs: [] }),
    draft({ rules: ['other'] }),
    draft({ variables: [variable({ type: 'code' })] }),
    draft({ variables: [variable({ examples: [] })] }),
    draft({ name: 'n'.repeat(41) }),
    draft({ body: 'print(1)' }),
  ])('is nothing else: %j', async (value) => {
    expect(await matcher.matches(jsonGrammar(draftSchema), JSON.stringify(value))).toBe(false)
  })
})

describe('a draft', () => {
  it.each([
    [
      { type: 'integer', examples: ['12', 'x'] },
      { type: 'integer', examples: [12, 'x'] },
    ],
    [
      { type: 'boolean', examples: ['Yes', 'no'] },
      { type: 'boolean', examples: [true, false] },
    ],
    [
      { type: 'choice', choices: ['a', 'b'] },
      { type: 'choice', choices: ['a', 'b'] },
    ],
    [
      { type: 'choice', examples: ['a'] },
      { type: 'choice', choices: ['a'] },
    ],
    [
      { type: 'list', examples: ['a', 'b'] },
      { type: 'list', items: { type: 'string' }, examples: [['a', 'b']] },
    ],
    [
      { type: 'objects', fields: [{ name: 'Field Name', type: 'integer', example: '3' }] },
      { type: 'objects', fields: { field_name: { type: 'integer' } }, examples: [[{ field_name: 3 }]] },
    ],
  ])('with the variable %j has %j in its spec', (told, meant) => {
    expect(read(draft({ variables: [variable(told)] })).variables.x).toMatchObject(meant)
  })

  it.each([
    ['REST Client!', 'rest-client'],
    ['9 lives', 'template-9-lives'],
    ['my_template', 'my-template'],
  ])('with the name %j is called %j', (told, name) => {
    expect(read(draft({ name: told })).name).toBe(name)
  })

  it('is found within a fence or words', () => {
    const json = JSON.stringify(draft({}), null, 2)
    expect(readDraft(`Here it is:\n\`\`\`json\n${json}\n\`\`\`\nDone.`)).toHaveProperty('spec')
  })

  it.each(['', 'No.', '{', '[]', '{"name": 1}', '{"name": "a"', 'null'])('is not %j', (text) => {
    expect(readDraft(text)).toHaveProperty('fault')
  })
})
