import type { RE2JS } from 're2js'
import * as v from 'valibot'
import { AppError, invalidInput } from '#shared/errors.ts'
import { LINES_MAX_DEFAULT } from '#shared/protocol/limits.ts'
import type { CommandLine } from '../ports/command-runner.ts'
import type { TestRunnerName } from '../ports/test-suite.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import { type MeasureSettings, toMeasures } from './measure-settings.ts'
import { type CommandEntry, documentedLanguages, SettingsFile, type TestEntry } from './settings-schema.ts'
import { type PathMatcher, SETTINGS_PATH, toMatcher, toPattern, wrongKey } from './settings-values.ts'
import { type Rule, severities, type Weight } from './severity.ts'
import {
  type NamingRule,
  type RequiredReadmes,
  type RequiredTests,
  toNaming,
  toProtectedPaths,
  toRequiredReadmes,
  toRequiredTests,
} from './structure-settings.ts'

export { SETTINGS_PATH } from './settings-values.ts'

export interface LineLimits {
  readonly linesMax: number
  /** The first that matches goes before `linesMax`. */
  readonly files: readonly { readonly matches: PathMatcher; readonly linesMax: number }[]
}

interface ComplexityPair {
  readonly cyclomaticMax: number
  readonly cognitiveMax: number
}

export interface ComplexityLimits extends ComplexityPair {
  /** The first that matches goes before the two above. */
  readonly files: readonly (ComplexityPair & { readonly matches: PathMatcher })[]
}

export interface ForbiddenPattern {
  readonly pattern: RE2JS
  readonly matches: PathMatcher
  readonly message: string
}

export interface SecretsAllowed {
  readonly values: readonly RE2JS[]
  readonly files: readonly PathMatcher[]
}

/** A program of the repository's choice that judges a file before it is written. */
export interface CommandSettings {
  readonly name: string
  /** With `{file}` in it where the path of the file belongs. */
  readonly run: CommandLine
  readonly matches: PathMatcher
  readonly weight: Weight
  readonly timeoutMs: number
  readonly scratchFolders: readonly string[]
}

/** A test runner that the repository names. */
export interface TestSettings {
  readonly name: string
  readonly runner: TestRunnerName
  readonly run: CommandLine
  readonly matches: PathMatcher
  readonly timeoutMs: number
  readonly scratchFolders: readonly string[]
}

/** What `millwright.json` says, with a default for all that it does not say. */
export interface CheckSettings {
  readonly severities: Readonly<Record<Rule, Weight>>
  readonly lineLimits: LineLimits
  readonly functionLinesMax: number
  readonly complexity: ComplexityLimits
  readonly documented: ReadonlySet<string>
  readonly forbidden: readonly ForbiddenPattern[]
  readonly secretsAllowed: SecretsAllowed
  /** Files with more lines are changed by edits of line ranges. */
  readonly editsAboveLines: number
  readonly commands: readonly CommandSettings[]
  /** Empty where the repository names none: then they are found. */
  readonly tests: readonly TestSettings[]
  readonly measures: readonly MeasureSettings[]
  readonly naming: readonly NamingRule[]
  readonly requiredTests: readonly RequiredTests[]
  readonly requiredReadmes: RequiredReadmes
  /** What no tool writes, beside what is protected anyway. */
  readonly protectedPaths: PathMatcher
  /** Repository path. */
  readonly templatesFolder: string
}

/** A page, as in rule 4 of the "Power of Ten" (Holzmann, 2006). */
const FUNCTION_LINES_MAX = 60
/** McCabe's own limit. */
const CYCLOMATIC_MAX = 10
/** SonarSource's default. */
const COGNITIVE_MAX = 15
/** Below the line limit, so that such a file may still grow; docs/bench.md has what edits cost against whole files. */
const EDITS_ABOVE_LINES = 200

export const defaultSettings: CheckSettings = toSettings({})

/** Reads the text of `millwright.json`. Throws `invalid_input`, naming the key that is wrong. */
export function parseSettings(text: string): CheckSettings {
  const value = parseJson(text)
  // To valibot a list is an object without keys.
  if (Array.isArray(value))
    throw new AppError('invalid_input', `Cannot read ${SETTINGS_PATH}: it is a list, not an object`)
  const parsed = v.safeParse(SettingsFile, value)
  if (!parsed.success) throw invalidInput(SETTINGS_PATH, parsed.issues)
  return toSettings(parsed.output)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    const place = /\(line (\d+) column (\d+)\)/.exec(cause instanceof Error ? cause.message : '')
    const where = place === null ? '' : ` at line ${place[1]}, column ${place[2]}`
    throw new AppError('invalid_input', `Cannot read ${SETTINGS_PATH}: it is not valid JSON${where}`, { cause })
  }
}

function toSettings({
  checks = {},
  answers = {},
  tests = [],
  measures = [],
  protected_paths = [],
  templates = {},
}: SettingsFile): CheckSettings {
  return {
    severities: { ...severities, ...checks.severities },
    lineLimits: {
      linesMax: checks.line_limit?.lines ?? LINES_MAX_DEFAULT,
      files: (checks.line_limit?.files ?? []).map(({ glob, lines }, index) => ({
        matches: toMatcher(glob, `checks.line_limit.files.${index}.glob`),
        linesMax: lines,
      })),
    },
    functionLinesMax: checks.function_length?.lines ?? FUNCTION_LINES_MAX,
    complexity: toComplexity(checks.complexity),
    documented: new Set(checks.missing_docs?.languages ?? documentedLanguages),
    forbidden: (checks.forbidden_pattern ?? []).map(({ pattern, files, message }, index) => ({
      pattern: toPattern(pattern, `checks.forbidden_pattern.${index}.pattern`),
      matches: files === undefined ? () => true : toMatcher(files, `checks.forbidden_pattern.${index}.files`),
      message,
    })),
    editsAboveLines: answers.edits_above_lines ?? EDITS_ABOVE_LINES,
    secretsAllowed: {
      values: (checks.secrets?.allow ?? []).map((each, index) => toPattern(each, `checks.secrets.allow.${index}`)),
      files: (checks.secrets?.allow_files ?? []).map((each, index) =>
        toMatcher(each, `checks.secrets.allow_files.${index}`),
      ),
    },
    commands: toCommands(checks.commands ?? []),
    tests: toTests(tests),
    measures: toMeasures(measures, (key, reason) => wrongKey(key, reason)),
    naming: toNaming(checks.naming ?? []),
    requiredTests: toRequiredTests(checks.missing_tests),
    requiredReadmes: toRequiredReadmes(checks.missing_readmes),
    protectedPaths: toProtectedPaths(protected_paths),
    templatesFolder: toFolder(templates.folder ?? 'templates', 'templates.folder'),
  }
}

type ComplexityEntry = NonNullable<NonNullable<SettingsFile['checks']>['complexity']>

function toComplexity({ cyclomatic, cognitive, files = [] }: ComplexityEntry = {}): ComplexityLimits {
  const cyclomaticMax = cyclomatic ?? CYCLOMATIC_MAX
  const cognitiveMax = cognitive ?? COGNITIVE_MAX
  return {
    cyclomaticMax,
    cognitiveMax,
    files: files.map((each, index) => ({
      matches: toMatcher(each.glob, `checks.complexity.files.${index}.glob`),
      cyclomaticMax: each.cyclomatic ?? cyclomaticMax,
      cognitiveMax: each.cognitive ?? cognitiveMax,
    })),
  }
}

function toCommands(commands: readonly CommandEntry[]): CommandSettings[] {
  const names = new Set<string>()
  return commands.map(({ name, run, files, severity, timeout_s, scratch }, index) => {
    const key = `checks.commands.${index}`
    if (names.has(name)) throw wrongKey(`${key}.name`, `there are two commands "${name}"`)
    names.add(name)
    const [program, ...rest] = run
    if (program === undefined || run.some((each) => each.includes('\0')))
      throw wrongKey(`${key}.run`, 'must be a program and its arguments, without NUL characters')
    return {
      name,
      run: [program, ...rest],
      matches: files === undefined ? () => true : toMatcher(files, `${key}.files`),
      weight: severity,
      timeoutMs: timeout_s * 1000,
      scratchFolders: scratch.map((folder, at) => toFolder(folder, `${key}.scratch.${at}`)),
    }
  })
}

function toTests(tests: readonly TestEntry[]): TestSettings[] {
  const names = new Set<string>()
  return tests.map(({ name, runner, run, files, timeout_s, scratch }, index) => {
    const key = `tests.${index}`
    if (names.has(name)) throw wrongKey(`${key}.name`, `there are two test runners "${name}"`)
    names.add(name)
    const [program, ...rest] = run
    if (program === undefined || run.some((each) => each.includes('\0')))
      throw wrongKey(`${key}.run`, 'must be a program and its arguments, without NUL characters')
    if (runner === 'node' && !rest.includes('--test'))
      throw wrongKey(`${key}.run`, 'must have --test among its arguments')
    return {
      name,
      runner,
      run: [program, ...rest],
      matches: files === undefined ? () => true : toMatcher(files, `${key}.files`),
      timeoutMs: timeout_s * 1000,
      scratchFolders: scratch.map((folder, at) => toFolder(folder, `${key}.scratch.${at}`)),
    }
  })
}

function toFolder(path: string, key: string): string {
  try {
    return parseRepositoryPath(path.replace(/\/+$/, ''))
  } catch (cause) {
    throw wrongKey(key, 'must be the path of a folder in the repository', cause)
  }
}
