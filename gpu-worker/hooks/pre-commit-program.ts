import { AppError } from '#shared/errors.ts'
import type { CommandLine } from '../ports/command-runner.ts'
import type { HookResult } from './hook-result.ts'
import type { HookRunOutcome } from './scratch-copy.ts'

/** Every hook once, on exactly these files, each told with its id. */
export const preCommitLine = (store: string | null, paths: readonly string[]): CommandLine => [
  '/usr/bin/env',
  // Without a store of the user's it makes one that is gone afterwards.
  `PRE_COMMIT_HOME=${store ?? '/tmp/pre-commit'}`,
  'pre-commit',
  'run',
  '--verbose',
  '--color',
  'never',
  '--files',
  ...paths,
]

const header = /^(?<name>.*?)\.{2,}(?<note>\([^)]*\))?(?<verdict>Passed|Failed|Skipped)$/u
/** Behind a header, before what the hook printed. */
const fact = /^- (?<key>hook id|duration|exit code|files were modified by this hook)(?:: (?<value>.*))?$/u

/** It has to fetch or build something, or to write down that it will; its store is read-only here. */
const wantsToInstall = /^\[INFO\] (?:Installing|Initializing) environment for|Read-only file system/mu

/**
 * What `pre-commit run --verbose` said of each hook. Throws `unavailable` where it could not run them all: an environment
 * that is missing cannot be made without a network, and what failed in pre-commit itself is no verdict.
 */
export function readPreCommit({ outcome, output, isWhole }: HookRunOutcome): HookResult[] {
  const hooks = parseHooks(output)
  if ((hooks.length === 0 || !isVerdict(outcome)) && wantsToInstall.test(output)) throw notInstalled()
  if (outcome.kind === 'stopped') throw cannot(`it was stopped: ${outcome.limit}`)
  if (!isVerdict(outcome)) throw cannot(`pre-commit ended with status ${outcome.status}: ${output.slice(-1000)}`)
  if (!isWhole) throw cannot('it printed more than can be read')
  const failed = hooks.filter(({ passed }) => passed === false).length
  // What it says and how it ends must agree, or it was not understood.
  if (hooks.length === 0 || (outcome.status === 1) !== failed > 0) {
    throw cannot(`what pre-commit said was not understood: ${output.slice(-1000)}`)
  }
  return hooks
}

/** 0: all passed, 1: some failed. 3 is an error of pre-commit itself, 130 an interrupt. */
const isVerdict = (outcome: HookRunOutcome['outcome']): boolean =>
  outcome.kind === 'ended' && (outcome.status === 0 || outcome.status === 1)

function parseHooks(output: string): HookResult[] {
  const hooks: { id: string; name: string; passed: boolean | null; lines: string[]; inFacts: boolean }[] = []
  const lines = output.split('\n')
  for (const [index, line] of lines.entries()) {
    const { name = '', note, verdict } = header.exec(line)?.groups ?? {}
    // A hook may print a line like a header; pre-commit names the id right behind its own.
    const id = verdict === undefined ? undefined : fact.exec(lines[index + 1] ?? '')?.groups
    if (id?.key === 'hook id') {
      const passed = verdict === 'Skipped' ? null : verdict === 'Passed'
      const said = note === undefined ? [] : [note.slice(1, -1)]
      hooks.push({ id: id.value ?? '', name, passed, lines: said, inFacts: true })
      continue
    }
    const hook = hooks.at(-1)
    if (hook === undefined) continue
    const told = hook.inFacts ? fact.exec(line)?.groups : undefined
    if (told === undefined) {
      hook.inFacts = false
      hook.lines.push(line)
    } else if (told.key === 'exit code' || told.key?.startsWith('files')) hook.lines.push(line.slice(2))
  }
  return hooks.map(({ id, name, passed, lines: said }) => ({ id, name, passed, output: said.join('\n').trim() }))
}

export const notInstalled = (): AppError =>
  new AppError('unavailable', 'Cannot run the hooks: the environments of pre-commit are not installed', {
    hint: "The operator runs `pre-commit install-hooks` once in the repository, as the worker's user: hooks have no network here",
  })

const cannot = (reason: string): AppError =>
  new AppError('unavailable', `Cannot run the hooks: ${reason}`, {
    hint: 'Name fewer paths; a person sees with `pre-commit run` in the repository what it says there',
  })
