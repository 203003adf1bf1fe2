import { AppError } from '#shared/errors.ts'
import type { CommandLine } from '../ports/command-runner.ts'
import type { WorkTree } from '../ports/repository.ts'
import { type FileMode, typesOf, unknownTypes } from './file-types.ts'
import type { ConfiguredHook, HookConfiguration } from './hook-configuration.ts'
import { type PathPattern, parsePythonPattern } from './python-pattern.ts'
import { splitWords } from './words.ts'

export type HookFile = WorkTree['files'][number]

/** A hook that needs no environment and no pre-commit: a program of the system or of the repository. */
export interface LocalHook {
  readonly id: string
  readonly name: string
  readonly commandLine: CommandLine
  readonly passFilenames: boolean
  readonly alwaysRun: boolean
  readonly failFast: boolean
  readonly selects: (file: HookFile, types: () => Promise<ReadonlySet<string>>) => Promise<boolean>
}

/** Languages whose hooks are run as they are; the last two are the names that pre-commit 4.4 gave to the first two. */
const languages = ['system', 'script', 'unsupported', 'unsupported_script']

/** The hooks of a configuration, or why only pre-commit itself can run them. */
export function readLocalHooks(
  configuration: HookConfiguration,
): { readonly hooks: readonly LocalHook[] } | { readonly reason: string } {
  const hooks: LocalHook[] = []
  for (const hook of configuration.hooks) {
    const read = readLocalHook(hook, configuration)
    if ('reason' in read) return read
    hooks.push(read)
  }
  return { hooks }
}

function readLocalHook(
  hook: ConfiguredHook,
  configuration: HookConfiguration,
): LocalHook | { readonly reason: string } {
  const { id, language = '', types = ['file'], types_or = [], exclude_types = [] } = hook
  const reason = (what: string): { reason: string } => ({ reason: `the hook ${JSON.stringify(id)} ${what}` })
  if (hook.repo !== 'local')
    return reason(hook.repo === 'meta' ? "is one of pre-commit's own" : 'comes from another repository')
  if (!languages.includes(language)) return reason(`has the language ${JSON.stringify(language)}`)
  const [unknown] = unknownTypes([...types, ...types_or, ...exclude_types])
  if (unknown !== undefined) return reason(`asks for files of type ${JSON.stringify(unknown)}`)
  const expressions = [configuration.files, hook.files ?? '', configuration.exclude, hook.exclude ?? '^$']
  const patterns = expressions.map(parsePythonPattern)
  const [anyFile, file, anyExcluded, excluded] = patterns
  if (!anyFile || !file || !anyExcluded || !excluded) return reason('has a pattern that RE2 does not know')
  const commandLine = toCommandLine(hook, language)
  if (commandLine === null) return reason('has no entry that can be started')
  return {
    id,
    name: hook.name ?? id,
    commandLine,
    passFilenames: hook.pass_filenames ?? true,
    alwaysRun: hook.always_run ?? false,
    failFast: hook.fail_fast ?? configuration.failFast,
    async selects({ path }, typesOfFile) {
      if (![anyFile, file].every((matches: PathPattern) => matches(path)) || anyExcluded(path) || excluded(path))
        return false
      const found = await typesOfFile()
      if (!types.every((type) => found.has(type)) || exclude_types.some((type) => found.has(type))) return false
      return types_or.length === 0 || types_or.some((type) => found.has(type))
    },
  }
}

function toCommandLine({ entry = '', args = [] }: ConfiguredHook, language: string): CommandLine | null {
  let words: string[]
  try {
    words = splitWords(entry)
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
  const [program, ...rest] = words
  if (program === undefined || program === '') return null
  // A script is named by its path from the top of the repository.
  const isScript = language.endsWith('script') && !program.startsWith('/')
  return [isScript ? `./${program}` : program, ...rest, ...args]
}

/** The files of these that a hook judges. */
export async function selectFiles(
  hook: LocalHook,
  files: readonly HookFile[],
  read: (path: HookFile['path']) => Promise<Uint8Array | null>,
): Promise<HookFile['path'][]> {
  const selected: HookFile['path'][] = []
  for (const file of files) {
    const types = (): Promise<ReadonlySet<string>> =>
      typesOf(file.path, file.mode satisfies FileMode, () => read(file.path))
    if (await hook.selects(file, types)) selected.push(file.path)
  }
  return selected
}
