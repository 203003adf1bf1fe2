import type { Severity } from '#shared/schemas/check.ts'

/** Every rule and how much it weighs: an error keeps a file from being written, a warning is reported. */
export const severities = {
  syntax: 'error',
  line_limit: 'error',
  complexity: 'warning',
} as const satisfies Record<string, Severity>

export type Rule = keyof typeof severities
