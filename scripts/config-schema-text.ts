import { toJsonSchema } from '@valibot/to-json-schema'
import { SettingsFile } from '#gpu-worker/gates/settings-schema.ts'

/** The text of `millwright.schema.json`. */
export function createConfigSchema(): string {
  const schema = {
    title: 'millwright.json',
    description: "A repository's rules for Millwright: docs/configuration.md",
    ...toJsonSchema(SettingsFile),
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}
