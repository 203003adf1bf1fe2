import { AppError } from '#shared/errors.ts'
import type { Checks } from '#shared/schemas/check.ts'
import { type LandPorts, readCurrent } from '../agent/land.ts'
import { joinDiffs, type LandedAll, type LandingPart, landAll, withLocks, withTakenBack } from '../agent/land-all.ts'
import type { CommandSettings } from '../gates/settings.ts'
import type { CommandRunner } from '../ports/command-runner.ts'
import type { ResolvedFile } from '../ports/file-tree.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import type { WriteJournal } from '../ports/write-journal.ts'
import type { KeyedLocks } from '../workspace/locks.ts'
import { countLines } from '../workspace/text.ts'
import { findSteps, runStep, type StepOutcome } from './after-steps.ts'
import type { RenderedOutput } from './render-template.ts'
import { createRulesChecker, judgeByRules } from './rules.ts'
import type { Template } from './template.ts'

export interface GeneratePorts extends LandPorts {
  readonly parser: SourceParser
  readonly edits: KeyedLocks
  readonly runner: CommandRunner
}

export interface GenerateRequest {
  readonly template: Template
  readonly outputs: readonly RenderedOutput[]
  readonly commands: readonly CommandSettings[]
  /** Says whether the caller may change a file; rejects where not. */
  readonly requireMay: (file: ResolvedFile) => Promise<void>
  /** The caller has said that files whose template asks for it may be replaced. */
  readonly mayOverwrite: boolean
  readonly dryRun: boolean
  /** Whose work it is; null for nobody's. */
  readonly agentId: string | null
  readonly deadline?: number | undefined
}

export interface GeneratedFile {
  readonly path: string
  readonly action: 'created' | 'replaced' | 'unchanged'
  readonly sha256: string
  readonly line_count: number
  readonly checks: Checks
}

export interface Generated {
  readonly files: GeneratedFile[]
  readonly diff: string
  readonly diff_truncated: boolean
  readonly after: StepOutcome[]
}

/**
 * Brings what a template has rendered into the repository, all of it or nothing: paths, ownership, what is there already, the
 * checks and the template's rules are judged before anything is written; then the template's steps run, and the failure of a
 * required one takes everything back. Rejects with AppError: `not_owner`, `already_exists`, `checks_failed`, `conflict`, and as
 * FileTree does.
 */
export async function generateFiles(
  request: GenerateRequest,
  ports: GeneratePorts,
  signal: AbortSignal,
): Promise<Generated> {
  const { template, outputs, requireMay } = request
  const steps = findSteps(template.after, request.commands)
  const rules = createRulesChecker(ports.parser, template.rules)
  const files: ResolvedFile[] = []
  for (const { path } of outputs) {
    const file = await ports.files.resolve(path, 'write')
    await requireMay(file)
    if (files.some(({ key }) => key === file.key))
      throw new AppError('invalid_input', `Cannot use the template: two outputs are the file "${file.path}"`, {
        hint: 'Give other values, so that each output has a path of its own',
      })
    files.push(file)
  }
  const work = async (): Promise<Generated> => {
    const parts: LandingPart[] = []
    for (const [index, output] of outputs.entries())
      parts.push(await toPart(files[index] as ResolvedFile, output, request, ports))
    const judge = ({ file, text }: LandingPart) => judgeByRules(rules, { path: file.path, text }, signal)
    const { dryRun, deadline, agentId } = request
    const time = deadline === undefined ? {} : { deadline }
    const all = await landAll({ parts, dryRun, job: null, judge, agentId, ...time }, ports, signal)
    const after = await runSteps(steps, parts, all, request, ports, signal)
    return { files: parts.map((part, index) => toGenerated(part, all, index)), ...joinDiffs(all.landed), after }
  }
  return withLocks(files, ports.edits, work, signal)
}

async function toPart(
  file: ResolvedFile,
  { text, overwrite }: RenderedOutput,
  { mayOverwrite }: GenerateRequest,
  ports: GeneratePorts,
): Promise<LandingPart> {
  const before = await readCurrent(ports.files, file.path)
  const part = { file, text, before }
  if (before.text === null || before.text === text) return part
  if (overwrite === 'ask' && mayOverwrite) return part
  if (overwrite === 'if_unchanged' && isAsWritten(file.path, before.sha256, ports.journal)) return part
  throw new AppError('already_exists', `Cannot write "${file.path}": it is there already${reasons[overwrite]}`, {
    hint: hints[overwrite],
  })
}

const reasons = {
  never: '',
  ask: ', and the call does not say overwrite',
  if_unchanged: ', and is not as Millwright wrote it last',
}
const hints = {
  never: 'Choose other values or another output_path, or change the file itself: the template replaces nothing',
  ask: 'Look at the file, and say overwrite if it may go; output_path names another place',
  if_unchanged: 'Somebody has worked on it: choose another output_path, or change the file itself',
}

function isAsWritten(path: string, sha256: string | null, journal: WriteJournal): boolean {
  return journal.lastWrites().some((write) => write.path === path && write.afterSha256 === sha256)
}

function toGenerated({ file, text, before }: LandingPart, { landed }: LandedAll, index: number): GeneratedFile {
  const { changed, sha256, checks } = landed[index] as LandedAll['landed'][number]
  const action = !changed ? 'unchanged' : before.text === null ? 'created' : 'replaced'
  return { path: file.path, action, sha256, line_count: countLines(text), checks }
}

async function runSteps(
  steps: readonly CommandSettings[],
  parts: readonly LandingPart[],
  all: LandedAll,
  { dryRun, deadline }: GenerateRequest,
  { runner }: GeneratePorts,
  signal: AbortSignal,
): Promise<StepOutcome[]> {
  const outcomes: StepOutcome[] = []
  const paths = parts.map(({ file }) => file.path)
  for (const step of steps) {
    if (dryRun) {
      outcomes.push({ name: step.name, passed: null, message: 'dry_run runs no step' })
      continue
    }
    const outcome = await runStep(step, paths, runner, { deadline, signal }).catch(async (error: unknown) => {
      throw withTakenBack(error, await all.takeBack())
    })
    outcomes.push(outcome)
    if (outcome.passed !== false || step.weight !== 'error') continue
    const failed = new AppError(
      'checks_failed',
      `Cannot keep the files: step "${step.name}" failed (${outcome.message})`,
      {
        hint: 'The files are as they were. Mend what the step names, or see with dry_run what the template makes',
        details: { after: outcomes, ...joinDiffs(all.landed) },
      },
    )
    throw withTakenBack(failed, await all.takeBack())
  }
  return outcomes
}
