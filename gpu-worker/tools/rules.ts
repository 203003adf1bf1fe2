import type * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import type { DescribeRules } from '#shared/protocol/worker-calls.ts'
import { readCurrent } from '../agent/land.ts'
import { type CheckSettings, SETTINGS_PATH } from '../gates/settings.ts'
import type { SettingsSource } from '../gates/settings-source.ts'
import type { Rule } from '../gates/severity.ts'
import type { FileTree } from '../ports/file-tree.ts'

/** What a rule asks, with the limits that hold. One that is missing here is shown by its name alone. */
const sentences: Partial<Record<Rule, (settings: CheckSettings) => string>> = {
  syntax: () => 'the file parses',
  line_limit: ({ lineLimits }) =>
    `code has at most ${lineLimits.linesMax} lines${lineLimits.files.length === 0 ? '' : `; ${lineLimits.files.length} limits by glob go before`}`,
  forbidden_pattern: ({ forbidden }) =>
    forbidden.length === 0 ? 'no pattern is forbidden' : forbidden.map(({ message }) => message).join('; '),
  secrets: () => 'no key, token or password is added',
  missing_docs: ({ documented }) => `public functions and classes are documented (${[...documented].join(', ')})`,
  function_length: ({ functionLinesMax }) => `a function has at most ${functionLinesMax} lines`,
  complexity: ({ complexity }) =>
    `a function has a cyclomatic complexity of at most ${complexity.cyclomaticMax}, a cognitive one of at most ${complexity.cognitiveMax}${complexity.files.length === 0 ? '' : `; ${complexity.files.length} limits by glob go before`}`,
  scope: () => 'a task changes what it was given for, and nothing else',
  naming: ({ naming }) =>
    naming.length === 0
      ? 'names may be written in any way'
      : `${naming.length} rules say how names of ${[...new Set(naming.map(({ of }) => of))].join(', ')} are written`,
  missing_tests: () => 'files of code have a test',
  missing_readmes: () => 'the top folder and packages have a README',
  ownership: () => 'the files of agents are there, and each has one owner',
}

/** The repository's rules as they are now, defaults included. */
export async function describeRules(
  files: FileTree,
  settings: SettingsSource,
): Promise<v.InferOutput<typeof DescribeRules.output>> {
  const { settings: now, fault } = await settings()
  const rules = Object.entries(now.severities).map(([rule, weight]) => {
    const sentence = sentences[rule as Rule]?.(now)
    return `${rule} (${weight})${sentence === undefined ? '' : `: ${sentence}`}`
  })
  return { rules, fault, source: await readSource(files) }
}

async function readSource(files: FileTree): Promise<string | null> {
  try {
    return (await readCurrent(files, SETTINGS_PATH)).text
  } catch (error) {
    // `fault` says why.
    if (error instanceof AppError) return null
    throw error
  }
}
