import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createConfigSchema } from './config-schema-text.ts'

describe('millwright.schema.json', () => {
  it('is current: node scripts/config-schema.ts writes it', () => {
    // Biome wraps the file as it likes; what it says is compared.
    const file = readFileSync(new URL('../millwright.schema.json', import.meta.url), 'utf8')
    expect(JSON.parse(file)).toEqual(JSON.parse(createConfigSchema()))
  })
})
