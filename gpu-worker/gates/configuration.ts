import { AppError } from '#shared/errors.ts'
import type { Violation } from '#shared/schemas/check.ts'
import { parseSettings, SETTINGS_PATH } from './settings.ts'

/** The rule that `millwright.json` itself is held to. No setting can weaken it: a wrong setting protects nobody. */
export const CONFIGURATION_RULE = 'configuration'

/**
 * What is wrong with the repository's configuration: `fault` for a change to any other file, and the text itself where
 * it is to become that configuration. Null where nothing is.
 */
export function configurationViolation(path: string, text: string, fault: string | null): Violation | null {
  const found = path === SETTINGS_PATH ? faultOf(text) : fault
  if (found === null) return null
  const message = `${found}. A person has to mend ${SETTINGS_PATH}; until then no file can be checked by its rules`
  return { rule: CONFIGURATION_RULE, severity: 'error', message, line: null, column: null }
}

function faultOf(text: string): string | null {
  try {
    parseSettings(text)
    return null
  } catch (error) {
    if (error instanceof AppError) return error.message
    throw error
  }
}
