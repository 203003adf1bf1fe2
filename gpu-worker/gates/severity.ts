import type { Severity } from '#shared/schemas/check.ts'

/** How much a rule weighs: an error keeps a file from being written, a warning is reported, off does not run. */
export type Weight = Severity | 'off'

/** Every rule of the gates, and how much it weighs where `millwright.json` does not say. */
export const severities = {
  syntax: 'error',
  line_limit: 'error',
  forbidden_pattern: 'error',
  secrets: 'error',
  // A repository keeps such comments or it does not; where it does not, a model that adds them does more than was asked.
  missing_docs: 'off',
  function_length: 'warning',
  complexity: 'warning',
  scope: 'warning',
} as const satisfies Record<string, Weight>

export type Rule = keyof typeof severities
