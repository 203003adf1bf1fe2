import { toJsonSchema } from '@valibot/to-json-schema'
import { SettingsFile } from '#gpu-worker/gates/settings-schema.ts'
import { TemplateFile } from '#gpu-worker/templates/spec.ts'

/** The text of `millwright.schema.json`. */
export const createConfigSchema = (): string =>
  toText({
    title: 'millwright.json',
    description: "A repository's rules for Millwright: docs/configuration.md",
    ...toJsonSchema(SettingsFile),
  })

/** The text of `millwright-template.schema.json`. */
export const createTemplateSchema = (): string =>
  toText({
    title: 'template.json',
    description: 'A template of Millwright: docs/templates.md',
    ...toJsonSchema(TemplateFile),
  })

const toText = (schema: object): string => `${JSON.stringify(schema, null, 2)}\n`
