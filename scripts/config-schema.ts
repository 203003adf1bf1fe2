import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createConfigSchema } from './config-schema-text.ts'

// Writes `millwright.schema.json`, which editors check a repository's `millwright.json` with. Run it when the settings
// have changed; a test says when it was forgotten.
writeFileSync(fileURLToPath(new URL('../millwright.schema.json', import.meta.url)), createConfigSchema())
