import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { TemplateFile } from './spec.ts'
import { readValues } from './values.ts'

const variablesOf = (variables: unknown) =>
  v.parse(TemplateFile, { description: 'd', variables, outputs: [{ path: 'a', file: 'a.liquid' }] }).variables
const problemsOf = (kind: unknown, value: unknown): string[] => {
  const read = readValues(variablesOf({ x: kind }), { x: value })
  return 'problems' in read ? read.problems.map(({ where, message }) => `${where} ${message}`) : []
}

describe('a value', () => {
  it.each([
    [{ type: 'string' }, 'a "b"\n\u001b'],
    [{ type: 'string', pattern: 'a+' }, 'aaa'],
    [{ type: 'identifier' }, 'user_name2'],
    [{ type: 'integer', minimum: 1, maximum: 3 }, 3],
    [{ type: 'boolean' }, false],
    [{ type: 'choice', choices: ['a', 'b'] }, 'b'],
    [{ type: 'data' }, { a: [1, null, { b: 'c' }] }],
    [{ type: 'list', items: { type: 'integer' }, min_items: 1 }, [1, 2]],
    [{ type: 'objects', fields: { n: { type: 'identifier' }, o: { type: 'string', default: '' } } }, [{ n: 'a' }]],
  ])('of the kind %j may be %j', (kind, value) => {
    expect(problemsOf(kind, value)).toEqual([])
  })

  it.each([
    [{ type: 'string' }, 1, 'x must be a text'],
    [{ type: 'string' }, 'a\0', 'x must not have NUL characters'],
    [{ type: 'string' }, '\ud800', 'x must not have half a surrogate pair'],
    [{ type: 'string', max_length: 2 }, 'abc', 'x must have at most 2 characters, has 3'],
    [{ type: 'string' }, 'x'.repeat(2001), 'x must have at most 2000 characters, has 2001'],
    [{ type: 'string', min_length: 1 }, '', 'x must have at least 1 characters'],
    [{ type: 'string', pattern: 'a+' }, 'aab', 'x must match a+'],
    [{ type: 'string', pattern: '(?=a)' }, 'a', 'x cannot be judged: the pattern of the template is no RE2 expression'],
    [
      { type: 'identifier' },
      'x(){};eval(1);function y',
      'x must be a name in code: 1 to 64 letters, digits and underscores, no digit first',
    ],
    [{ type: 'identifier' }, 'class', 'x is a word that Python or TypeScript keeps for itself'],
    [{ type: 'identifier' }, 'constructor', 'x is a word that Python or TypeScript keeps for itself'],
    [{ type: 'identifier' }, '__proto__', 'x has two underscores at both ends, which languages keep for themselves'],
    [{ type: 'identifier', reserved: ['is_done'] }, 'isDone', 'x is a name that the template needs for itself'],
    [{ type: 'integer' }, 1.5, 'x must be a whole number'],
    [{ type: 'integer' }, '1', 'x must be a whole number'],
    [{ type: 'integer', minimum: 2 }, 1, 'x must be at least 2'],
    [{ type: 'boolean' }, 'true', 'x must be true or false'],
    [{ type: 'choice', choices: ['a', 'b'] }, 'c', 'x must be one of: a, b'],
    [{ type: 'data' }, ['a\0'], 'x must not have NUL characters'],
    [{ type: 'data' }, { '\ud800': 1 }, 'x must not have half a surrogate pair'],
    [{ type: 'list', items: { type: 'integer' } }, 1, 'x must be a list'],
    [{ type: 'list', items: { type: 'integer' } }, [1, 'a'], 'x.1 must be a whole number'],
    [{ type: 'list', items: { type: 'integer' }, max_items: 1 }, [1, 2], 'x must have at most 1 items, has 2'],
    [{ type: 'objects', fields: { n: { type: 'identifier' } } }, ['a'], 'x.0 must be an object with n'],
    [{ type: 'objects', fields: { n: { type: 'identifier' } } }, [{}], 'x.0.n is missing'],
    [
      { type: 'objects', fields: { n: { type: 'identifier' } } },
      [{ n: 'a', m: 1 }],
      'x.0.m is not known here; there are: n',
    ],
    [
      { type: 'objects', fields: { n: { type: 'identifier' } }, unique: 'n' },
      [{ n: 'user_name' }, { n: 'userName' }],
      'x.1.n is there twice',
    ],
  ])('of the kind %j may not be %j', (kind, value, problem) => {
    expect(problemsOf(kind, value)).toEqual([problem])
  })

  it('may not be nested deeply', () => {
    let value: unknown = 1
    for (let level = 0; level < 100_000; level++) value = [value]
    expect(problemsOf({ type: 'data' }, value)).toEqual(['x must not be nested more than 20 levels deep'])
  })

  it('is the default where none is given, and must be given where there is none', () => {
    const variables = variablesOf({ a: { type: 'string', default: 'd' }, b: { type: 'string' } })
    expect(readValues(variables, { b: 'c' })).toEqual({ values: { a: 'd', b: 'c' } })
    expect(readValues(variables, {})).toEqual({ problems: [{ where: 'b', message: 'is missing' }] })
  })

  it('has a variable, and inherits nothing', () => {
    const variables = variablesOf({ a: { type: 'string', default: '' } })
    for (const name of ['b', 'constructor', 'toString'])
      expect(readValues(variables, { [name]: 'x' })).toEqual({
        problems: [{ where: name, message: 'is not known here; there are: a' }],
      })
    const read = readValues(variables, {})
    expect('values' in read && Object.getPrototypeOf(read.values)).toBeNull()
  })
})
