import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createConfigSchema, createTemplateSchema } from './config-schema-text.ts'

describe.each([
  ['millwright.schema.json', createConfigSchema],
  ['millwright-template.schema.json', createTemplateSchema],
])('%s', (name, create) => {
  it('is current: node scripts/config-schema.ts writes it', () => {
    // Biome wraps the file as it likes; what it says is compared.
    const file = readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
    expect(JSON.parse(file)).toEqual(JSON.parse(create()))
  })
})
