import { describe, expect, it } from 'vitest'
import { parseHookConfiguration } from './hook-configuration.ts'

const codeOf = (source: string): unknown => {
  try {
    return parseHookConfiguration(source)
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

describe('parseHookConfiguration', () => {
  it("reads a configuration as pre-commit's documentation has it", () => {
    const source = `
default_stages: [pre-commit, pre-push]
files: &all ''
ci: { autofix_prs: false }
repos:
  - repo: https://host.invalid/hooks
    rev: v4.5.0
    hooks:
      - id: check-yaml
        args: [--allow-multiple-documents]
  - repo: local
    hooks:
      - &base { id: one, name: One, entry: 'one --flag', language: system, pass_filenames: no, files: *all }
      - { <<: *base, id: two, always_run: yes, stages: [commit] }
      - { <<: *base, id: later, stages: [pre-push] }
`
    const { hooks, files, exclude, failFast } = parseHookConfiguration(source)
    expect({ files, exclude, failFast }).toEqual({ files: '', exclude: '^$', failFast: false })
    expect(hooks).toEqual([
      { repo: 'https://host.invalid/hooks', id: 'check-yaml', args: ['--allow-multiple-documents'] },
      {
        repo: 'local',
        id: 'one',
        name: 'One',
        entry: 'one --flag',
        language: 'system',
        pass_filenames: false,
        files: '',
      },
      {
        repo: 'local',
        id: 'two',
        name: 'One',
        entry: 'one --flag',
        language: 'system',
        pass_filenames: false,
        files: '',
        always_run: true,
        stages: ['commit'],
      },
    ])
  })

  it.each([
    ['nothing', ''],
    ['a list', '- 1\n'],
    ['no YAML', 'repos: [}'],
    ['hooks without an id', 'repos: [{repo: local, hooks: [{entry: x}]}]'],
    ['an entry that is a number', 'repos: [{repo: local, hooks: [{id: x, entry: 7}]}]'],
    ['a tag that would make an object', 'repos: !!python/object/apply:os.system ["touch pwned"]'],
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`)}]\n`)
        .join('')}repos: *i\n`,
    ],
    ['an alias of itself', 'repos: &a [*a]'],
    ['nesting without end', `repos: ${'['.repeat(60_000)}`],
    ['nesting of keys without end', `repos: ${'{a: '.repeat(15_000)}`],
  ])('refuses %s, and says nothing of what stands there', (_what, source) => {
    expect(codeOf(source)).toBe('invalid_input')
  })

  it('takes the last of two keys, as pre-commit does, among thousands of others', () => {
    const many = Array.from({ length: 8000 }, (_, index) => `${index.toString(36)}x:\n`).join('')
    const source = `${many}repos: [{repo: local, hooks: [{id: one}]}]\nrepos: [{repo: local, hooks: [{id: two}]}]\n`
    expect(codeOf(source)).toMatchObject({ hooks: [{ id: 'two' }] })
  })

  it('refuses what is too long', () => {
    expect(codeOf(`# ${'x'.repeat(200_000)}`)).toBe('too_large')
    const hooks = Array.from({ length: 201 }, (_, index) => `{id: h${index}}`)
    expect(codeOf(`repos: [{repo: local, hooks: [${hooks}]}]`)).toBe('too_large')
  })

  it('takes no name of every object for a setting', () => {
    const source = 'repos: [{repo: local, hooks: [{id: __proto__, __proto__: {entry: x}, constructor: y}]}]'
    expect(codeOf(source)).toMatchObject({ hooks: [{ id: '__proto__', repo: 'local' }] })
    expect(({} as { entry?: string }).entry).toBeUndefined()
  })
})
