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
  // Asked only where the repository says how names are written.
  naming: 'error',
  // About the repository as a whole: run_all_validations and check_compliance look at these, no write is refused for them.
  missing_tests: 'warning',
  missing_readmes: 'warning',
  ownership: 'warning',
} as const satisfies Record<string, Weight>

export type Rule = keyof typeof severities
