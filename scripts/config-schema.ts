import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createConfigSchema, createTemplateSchema } from './config-schema-text.ts'

// Writes `millwright.schema.json` and `millwright-template.schema.json`, which editors check a repository's `millwright.json`
// and `template.json` with. Run it when the settings or the specs have changed; a test says when it was forgotten.
const write = (name: string, text: string): void =>
  writeFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), text)
write('millwright.schema.json', createConfigSchema())
write('millwright-template.schema.json', createTemplateSchema())
