import { AppError } from '#shared/errors.ts'
import type { Violation } from '#shared/schemas/check.ts'
import type { CommandRunner } from '../ports/command-runner.ts'
import type { CheckRequest, FileCheck, FileChecker } from '../ports/file-checker.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import { countLines } from '../workspace/text.ts'
import { createCommandGates } from './commands.ts'
import { createComplexityGate } from './complexity.ts'
import { CONFIGURATION_RULE, configurationViolation } from './configuration.ts'
import { type FileKind, fileKind } from './file-kind.ts'
import { createForbiddenPatternGate } from './forbidden-pattern.ts'
import { createFunctionLengthGate } from './function-length.ts'
import type { Finding, Gate, GateSubject, Verdict } from './gate.ts'
import { createLineLimitGate, lineLimitOf } from './line-limit.ts'
import { createMissingDocsGate } from './missing-docs.ts'
import { createNamingGate } from './naming.ts'
import { createScopeGate } from './scope.ts'
import { createSecretsGate } from './secrets.ts'
import { type CheckSettings, SETTINGS_PATH } from './settings.ts'
import { defaultSettingsSource, type SettingsSource } from './settings-source.ts'
import { severities, type Weight } from './severity.ts'
import { createSyntaxGate } from './syntax.ts'

export interface FileCheckerOptions {
  /** Owned by the checker from here on: closed with it. */
  readonly parser: SourceParser
  /** The repository's rules; the defaults unless told. */
  readonly settings?: SettingsSource
  /** For the repository's own commands; without one, none can run. */
  readonly runner?: CommandRunner
}

/**
 * Runs every gate over a file, and then, where all have passed, the repository's own commands. Rejects only as
 * SourceParser, CommandRunner and the settings' FileTree do: `cancelled`, `unavailable`.
 */
export function createFileChecker(options: FileCheckerOptions): FileChecker {
  const { parser, settings = defaultSettingsSource, runner = noCommandRunner } = options
  const gatesOf = rememberLast(createGates)
  const commandGates = createCommandGates(runner)

  /** The settings, where they are right. An agent that owns them may mend them. */
  async function soundSettings(path: string): Promise<CheckSettings> {
    const state = await settings()
    const wrong = path === SETTINGS_PATH ? null : configurationViolation(path, '', state.fault)
    if (wrong !== null) throw refusal(wrong, `Tell a person what is wrong with ${SETTINGS_PATH}`, [CONFIGURATION_RULE])
    return state.settings
  }

  return {
    async check(request, signal) {
      const state = await settings()
      const subject = await toSubject(request, parser, signal)
      const ran: string[] = []
      const skipped: { rule: string; reason: string }[] = []
      const violations: Violation[] = []
      const wrong = configurationViolation(request.path, request.text, state.fault)
      if (wrong !== null) violations.push(wrong)
      if (wrong !== null || request.path === SETTINGS_PATH) ran.push(CONFIGURATION_RULE)
      for (const gate of gatesOf(state.settings)) {
        const weight = state.settings.severities[gate.rule]
        const verdict = weight === 'off' ? switchedOff(gate) : await gate.judge(subject)
        if (verdict === null) continue
        if ('skipped' in verdict) {
          skipped.push({ rule: gate.rule, reason: verdict.skipped })
          continue
        }
        ran.push(gate.rule)
        violations.push(...verdict.findings.map((finding) => toViolation(gate, weight, finding)))
      }
      const { commands } = state.settings
      const verdicts = hasPassed(violations)
        ? await commandGates.judge(request, commands, signal)
        : commandGates.pass(request, commands, 'another check failed first')
      ran.push(...verdicts.ran)
      skipped.push(...verdicts.skipped)
      violations.push(...verdicts.violations)
      return { ...toFacts(subject), checks: { passed: hasPassed(violations), ran, skipped, violations } }
    },

    async rules(path) {
      const now = await soundSettings(path)
      const obstacle = await commandGates.obstacle(path, now.commands)
      if (obstacle !== null) throw refusal(obstacle, 'Tell the person who runs the worker')
      const kind = fileKind(path)
      const lines = gatesOf(now)
        .filter(({ rule }) => now.severities[rule] === 'error')
        .map((gate) => gate.describe(kind, path))
        .filter((line) => line !== null)
      return [...lines, ...commandGates.describe(path, now.commands)]
    },

    lineLimit: async (path) => lineLimitOf((await soundSettings(path)).lineLimits, path, fileKind(path).isCode),

    close: () => parser.close(),
  }
}

/** In the order in which a model should mend what they find. A new gate is one more line. */
const createGates = (settings: CheckSettings): readonly Gate[] => [
  createSyntaxGate(),
  createLineLimitGate(settings.lineLimits),
  createForbiddenPatternGate(settings.forbidden),
  createSecretsGate(settings.secretsAllowed),
  createMissingDocsGate(settings.documented),
  createFunctionLengthGate(settings.functionLinesMax),
  createComplexityGate(settings.complexity),
  createScopeGate(),
  createNamingGate(settings.naming),
]

/** The last result, as long as the argument is the same: the rules change far less often than files are checked. */
function rememberLast<A, R>(make: (argument: A) => R): (argument: A) => R {
  let last: { readonly argument: A; readonly result: R } | undefined
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: make(argument) }
    return last.result
  }
}

/** A rule that the repository has switched off is said; one that is off unless asked for is not. */
function switchedOff({ rule }: Gate): Verdict {
  const usual: Weight = severities[rule]
  return usual === 'off' ? null : { skipped: `switched off in ${SETTINGS_PATH}` }
}

const hasPassed = (violations: readonly Violation[]): boolean =>
  violations.every(({ severity }) => severity !== 'error')

const refusal = (violation: Violation, advice: string, ran: string[] = []): AppError =>
  new AppError('checks_failed', violation.message, {
    hint: `${advice}; the file is as it was`,
    details: { checks: { passed: false, ran, skipped: [], violations: [violation] }, diff: '' },
  })

const noCommandRunner: CommandRunner = {
  isSandboxed: true,
  obstacle: async () => 'this checker runs no commands',
  run: async () => {
    throw new AppError('unavailable', 'Cannot run a command: this checker runs none')
  },
}

async function toSubject(request: CheckRequest, parser: SourceParser, signal?: AbortSignal): Promise<GateSubject> {
  const { path, text, before, task } = request
  const kind = fileKind(path)
  const parse = (each: string | null) =>
    kind.language === null || each === null || isTooLarge(kind, each) ? null : parser.parse(kind.language, each, signal)
  return {
    path,
    text,
    before,
    task: task ?? null,
    kind,
    lineCount: countLines(text),
    source: await parse(text),
    parseBefore: async () => parse(before),
  }
}

/** The Markdown grammar takes a second for 300 kB and more than its share for each after that: changelogs are left alone. */
const MARKDOWN_CHARACTERS_MAX = 256 * 1024

const isTooLarge = ({ language }: FileKind, text: string): boolean =>
  language === 'markdown' && text.length > MARKDOWN_CHARACTERS_MAX

function toFacts({ source, lineCount }: GateSubject): Omit<FileCheck, 'checks'> {
  const parsed = source?.kind === 'parsed' ? source : null
  return { syntaxErrors: parsed?.faults ?? [], complexity: parsed?.complexity ?? null, lineCount }
}

function toViolation({ rule }: Gate, weight: Weight, finding: Finding): Violation {
  const { message, line, column, isOld, isGuess } = finding
  const severity = weight !== 'error' || isOld === true || isGuess === true ? 'warning' : 'error'
  return { rule, severity, message, line, column }
}
