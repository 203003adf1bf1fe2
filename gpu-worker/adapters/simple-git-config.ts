import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '#shared/errors.ts'
import { toGitError } from './simple-git-errors.ts'
import type { RepositoryIdentity } from './simple-git-identity.ts'
import type { GitRun } from './simple-git-run.ts'

/** What a repository's own configuration asks for, as far as it matters here. */
export interface RepositoryConfig {
  /** Switches that keep git from running what the repository names. */
  readonly overrides: ReadonlyMap<string, string>
  /** Filter drivers that have a command, allowed or not. */
  readonly filters: readonly string[]
  /** Those of them that are not allowed. */
  readonly refusedFilters: readonly string[]
  /** `core.hooksPath` as it stands there. */
  readonly hooksPath: string | null
  readonly userName: string | null
  readonly userEmail: string | null
  readonly notices: readonly string[]
}

/** More hooks and filters than any honest repository has. */
const OVERRIDES_MAX = 400

/** Reads the configuration as git does, includes followed. Runs nothing that it names. */
export async function readConfig(
  run: GitRun,
  identity: RepositoryIdentity,
  allowFilters: readonly string[],
): Promise<RepositoryConfig> {
  const listed = await run(['config', '--list', '-z', '--show-scope'])
  if (listed.exitCode !== 0 || listed.cut) throw toGitError('Cannot read the configuration of the repository', listed)
  const values = parseConfigList(listed.stdout.toString('utf8'))
  const filters = [...new Set(subsections(values, 'filter', ['clean', 'smudge', 'process']))]
  const refusedFilters = filters.filter((name) => !allowFilters.includes(name))
  const allowedFilters = filters.filter((name) => allowFilters.includes(name))
  const hooks = [...new Set(subsections(values, 'hook', ['command', 'event', 'enabled']))]
  const overrides = withoutFilters(refusedFilters)
  for (const name of hooks) {
    overrides.set(`hook.${name}.enabled`, 'false')
    const event = values.get(`hook.${name}.event`)
    if (event) overrides.set(`hook.${event}.enabled`, 'false')
  }
  if (overrides.size > OVERRIDES_MAX) {
    throw new AppError('unavailable', `Cannot use git: over ${OVERRIDES_MAX} hooks and filters in its configuration`, {
      hint: 'A person takes what is not needed out of the configuration of the repository',
    })
  }
  return {
    overrides,
    filters,
    refusedFilters,
    hooksPath: values.get('core.hookspath') ?? null,
    userName: values.get('user.name') ?? null,
    userEmail: values.get('user.email') ?? null,
    notices: describeConfig(values, { refusedFilters, allowedFilters, hooks }, identity),
  }
}

/** Switches that keep these filter drivers from running. */
export function withoutFilters(names: readonly string[]): Map<string, string> {
  const overrides = new Map<string, string>()
  for (const name of names) {
    for (const key of ['clean', 'smudge', 'process']) overrides.set(`filter.${name}.${key}`, '')
    overrides.set(`filter.${name}.required`, 'false')
  }
  return overrides
}

/** Keys with their last value; scope `command` is what this adapter itself passes. */
function parseConfigList(text: string): Map<string, string> {
  const values = new Map<string, string>()
  const parts = text.split('\0')
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [scope = '', entry = ''] = parts.slice(index, index + 2)
    if (scope === 'command') continue
    const newline = entry.indexOf('\n')
    // A key without a value means true.
    if (newline === -1) values.set(entry, 'true')
    else values.set(entry.slice(0, newline), entry.slice(newline + 1))
  }
  return values
}

function subsections(values: ReadonlyMap<string, string>, section: string, names: readonly string[]): string[] {
  return [...values].flatMap(([key, value]) => {
    const name = names.find((one) => key.startsWith(`${section}.`) && key.endsWith(`.${one}`))
    if (name === undefined || value === '') return []
    const subsection = key.slice(section.length + 1, -(name.length + 1))
    return subsection === '' ? [] : [subsection]
  })
}

/** What git takes for no. */
const switchedOff = /^(?:false|no|off|0|)$/iu

const notable: readonly [pattern: RegExp, notice: string][] = [
  [/^core\.hookspath$/u, 'Git hooks (core.hooksPath) are not run'],
  [/^core\.fsmonitor$/u, 'core.fsmonitor is switched off'],
  [/^diff\.external$|^diff\..*\.command$/u, 'External diff programs are not run'],
  [/^diff\..*\.textconv$/u, 'Text conversion for diffs is not run'],
  [/^commit\.gpgsign$/u, 'Commits made here are not signed, though commit.gpgSign asks for it'],
  [/^remote\..*\.promisor$|^extensions\.partialclone$/u, 'Missing objects of this partial clone are not fetched'],
  [/^core\.worktree$/u, 'core.worktree is ignored'],
  [/^(?:core\.pager|pager\..*|core\.editor|sequence\.editor)$/u, 'Pagers and editors are not started'],
  [/^gpg\.(?:.*\.)?program$|^log\.showsignature$/u, 'Signatures are neither made nor checked'],
  [
    /^core\.(?:sshcommand|askpass|gitproxy|alternaterefscommand)$|^credential\.(?:.*\.)?helper$|^remote\..*\.(?:uploadpack|receivepack|vcs)$/u,
    'Programs for remotes and credentials are not started: nothing is fetched or pushed',
  ],
  [/^trailer\..*\.(?:command|cmd)$/u, 'Commands for trailers are not run'],
  [/^merge\..*\.driver$|^(?:merge|diff)tool\./u, 'Merge drivers and tools are not run: nothing is merged'],
  [/^(?:gc|maintenance)\.auto$/u, 'Automatic maintenance is not run'],
]

function describeConfig(
  values: ReadonlyMap<string, string>,
  found: Readonly<Record<'refusedFilters' | 'allowedFilters' | 'hooks', readonly string[]>>,
  identity: RepositoryIdentity,
): string[] {
  const keys = [...values].filter(([, value]) => !switchedOff.test(value)).map(([key]) => key)
  const notices = notable.filter(([pattern]) => keys.some((key) => pattern.test(key))).map(([, notice]) => notice)
  if (found.hooks.length > 0) notices.push('Git hooks named in the configuration are not run')
  if (hasHooks(identity.commonDir)) notices.push('Git hooks of the repository are not run')
  if (found.refusedFilters.length > 0) notices.push(filterRefusal(found.refusedFilters))
  if (found.allowedFilters.length > 0)
    notices.push(`Filter programs that the owner allowed are run: ${toNames(found.allowedFilters)}`)
  return notices
}

function hasHooks(commonDir: string): boolean {
  try {
    return readdirSync(join(commonDir, 'hooks')).some(
      (name) => !name.endsWith('.sample') && (statSync(join(commonDir, 'hooks', name)).mode & 0o111) !== 0,
    )
  } catch {
    return false
  }
}

const filterRefusal = (names: readonly string[]): string =>
  `Status, diff and commit are refused: the configuration names filter programs (${toNames(names)})`

const toNames = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ')

/** Throws `unavailable` where git would have to run a program to read the work tree. */
export function assertNoFilters(config: RepositoryConfig): void {
  if (config.refusedFilters.length === 0) return
  throw new AppError('unavailable', filterRefusal(config.refusedFilters), {
    hint: "The machine's owner can allow a filter by name (docs/security.md), or remove it with git config --unset",
  })
}
