import { AppError } from '#shared/errors.ts'
import type { Violation } from '#shared/schemas/check.ts'
import { createFileChecker } from '../gates/file-checker.ts'
import { type CheckSettings, parseSettings, SETTINGS_PATH } from '../gates/settings.ts'
import { type Rule, severities, type Weight } from '../gates/severity.ts'
import type { FileChecker } from '../ports/file-checker.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import type { TemplateRules } from './spec.ts'

/**
 * Judges texts by a template's own rules, and by nothing else: a rule that has a setting or a weight there holds, as an error
 * unless the weight says otherwise, whatever `millwright.json` makes of it. Throws `invalid_input` for rules that are wrong.
 */
export function createRulesChecker(parser: SourceParser, rules: TemplateRules): FileChecker {
  const settings = toSettings(rules)
  // Never closed: the parser is not its own.
  return createFileChecker({ parser, settings: async () => ({ settings, fault: null }) })
}

/** What a template's rules find in a text. A rule that knows nothing of its language finds nothing. */
export async function judgeByRules(
  checker: FileChecker,
  { path, text }: { readonly path: string; readonly text: string },
  signal?: AbortSignal,
): Promise<readonly Violation[]> {
  const { checks } = await checker.check({ path, text, before: null }, signal)
  return checks.violations.map((violation) => ({ ...violation, rule: `template:${violation.rule}` }))
}

function toSettings(rules: TemplateRules): CheckSettings {
  let settings: CheckSettings
  try {
    settings = parseSettings(JSON.stringify({ checks: rules }))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const message = error.message.replace(SETTINGS_PATH, 'the rules of the template')
    throw new AppError(error.code, message, {
      cause: error,
      hint: error.hint ?? 'Mend the key that is named; docs/configuration.md has what each may say',
    })
  }
  const { severities: told = {}, ...configured } = rules
  const weights = Object.fromEntries(
    Object.keys(severities).map((rule) => [rule, ruleWeight(rule, told, configured)]),
  ) as Record<Rule, Weight>
  return { ...settings, severities: weights, commands: [] }
}

function ruleWeight(rule: string, told: object, configured: object): Weight {
  const said: unknown = Object.hasOwn(told, rule) ? Reflect.get(told, rule) : undefined
  if (said === 'error' || said === 'warning' || said === 'off') return said
  return Object.hasOwn(configured, rule) ? 'error' : 'off'
}
