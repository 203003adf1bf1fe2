import { readFileSync } from 'node:fs'
import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'
import { parseSettings } from '#gpu-worker/gates/settings.ts'
import { ErrorCode } from '#shared/errors.ts'
import { catalogue, findJobTool } from '#shared/tools/catalogue.ts'
import { type ToolDeclaration, toInputJsonSchema } from '#shared/tools/define-tool.ts'

// What the documents say of tools and settings, held against the code.

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const tools = catalogue as readonly unknown[] as readonly ToolDeclaration[]
const documents = { 'README.md': read('README.md'), 'docs/tools.md': read('docs/tools.md') }
const section = (text: string, heading: string): string => text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''

function tokensOf(list: readonly ToolDeclaration[]): number {
  const listed = list.map((tool) => ({
    name: tool.name,
    description: tool.description,
    inputSchema: toInputJsonSchema(tool),
  }))
  return encode(JSON.stringify(listed)).length
}

describe.each(Object.entries(documents))('%s', (_path, text) => {
  it('says how many tools there are, and what they and the core cost', () => {
    const [, count, cost] = /all (\d+) \(([\d,]+)/.exec(text) ?? []
    const [, core] = /`\?tools=core`.*?\(([\d,]+)/.exec(text) ?? []
    const number = (said: string | undefined): number => Number(said?.replace(',', ''))
    const isCore = (tool: ToolDeclaration): boolean => tool.core
    expect(number(count)).toBe(tools.length)
    expect(Math.abs(number(cost) - tokensOf(tools))).toBeLessThan(60)
    expect(Math.abs(number(core) - tokensOf(tools.filter(isCore)))).toBeLessThan(60)
  })
})

describe('docs/tools.md', () => {
  const text = documents['docs/tools.md']

  it('has each tool in the row of its family', () => {
    const families = new Map<string, string>()
    let family = ''
    for (const [, first = '', names = ''] of text.matchAll(/^\| ([a-z ]*?) *\| ([^|]*)\|/gm)) {
      if (first !== '') family = first.replace(' ', '_')
      for (const [, name = ''] of names.matchAll(/`([a-z_]+)`/g)) if (!families.has(name)) families.set(name, family)
    }
    for (const tool of tools) expect(families.get(tool.name), tool.name).toBe(tool.family)
  })

  it('names the tools that are jobs', () => {
    const said = section(text, 'Jobs').split('.')[0] ?? ''
    const jobs = tools.filter(({ name }) => name === 'chat_with_agent' || findJobTool(name) !== undefined)
    expect([...said.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name).toSorted()).toEqual(
      jobs.map(({ name }) => name).toSorted(),
    )
  })

  it('explains every error code', () => {
    for (const code of ErrorCode.options) expect(section(text, 'Error codes'), code).toContain(`\`${code}\``)
  })
})

describe('docs/configuration.md', () => {
  const text = read('docs/configuration.md')
  const example = /```json\n(\{\n {2}"\$schema"[\s\S]*?)```/.exec(text)?.[1] ?? ''
  const schema: unknown = JSON.parse(read('millwright.schema.json'))

  it('shows a millwright.json that is right', () => {
    expect(() => parseSettings(example)).not.toThrow()
  })

  it('shows every key that there is', () => {
    const shown = keysOf(JSON.parse(example))
    const known = propertiesOf(schema).filter((key) => !key.startsWith('checks.severities.'))
    expect(known.length).toBeGreaterThan(40)
    expect(known.filter((key) => !shown.has(key))).toEqual([])
  })

  it('has each rule in its table', () => {
    const rules = propertiesOf(schema).flatMap((key) => /^checks\.severities\.(.*)$/.exec(key)?.[1] ?? [])
    expect(rules).toHaveLength(12)
    for (const rule of rules)
      expect(section(text, 'Rules and severities'), rule).toMatch(new RegExp(`^\\| \`${rule}\``, 'm'))
  })
})

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Keys as `a.b`, without the places of lists. */
function keysOf(value: unknown, path: readonly string[] = []): Set<string> {
  if (Array.isArray(value)) return new Set(value.flatMap((each) => [...keysOf(each, path)]))
  if (!isObject(value)) return new Set()
  return new Set(
    Object.entries(value).flatMap(([key, each]) => [[...path, key].join('.'), ...keysOf(each, [...path, key])]),
  )
}

/** The same of a JSON schema. */
function propertiesOf(schema: unknown, path: readonly string[] = []): string[] {
  if (!isObject(schema)) return []
  const own = isObject(schema.properties) ? Object.entries(schema.properties) : []
  return [
    ...own.flatMap(([key, each]) => [[...path, key].join('.'), ...propertiesOf(each, [...path, key])]),
    ...propertiesOf(schema.items, path),
    ...(Array.isArray(schema.anyOf) ? schema.anyOf.flatMap((each) => propertiesOf(each, path)) : []),
  ]
}
