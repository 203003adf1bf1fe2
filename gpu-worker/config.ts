import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { WorkspaceId } from '#shared/ids.ts'

const text = v.pipe(v.string(), v.minLength(1))
const count = v.pipe(v.string(), v.regex(/^[1-9]\d{0,3}$/, 'must be a whole number from 1'), v.toNumber())

const Config = v.object({
  NATS_URL: v.pipe(text, v.regex(/^(nats|tls):\/\/[^\s]+$/, 'must look like nats://USER:PASSWORD@HOST:PORT')),
  MILLWRIGHT_REPOSITORY: text,
  MILLWRIGHT_DATA: text,
  MILLWRIGHT_WORKSPACE: v.optional(WorkspaceId),
  /** One or more, separated by commas. */
  MILLWRIGHT_MODEL: v.optional(text),
  MILLWRIGHT_MODELS: v.optional(text),
  MILLWRIGHT_THREADS: v.optional(count),
  /** Answers that the model writes at the same time. */
  MILLWRIGHT_SLOTS: v.optional(v.pipe(count, v.maxValue(64, 'must be at most 64'))),
  /** Exact repository paths that the owner opens although they are protected, separated by commas. */
  MILLWRIGHT_ALLOW_PATHS: v.optional(text),
  /** Git filter drivers that the owner lets run although the repository names their programs, separated by commas. */
  MILLWRIGHT_ALLOW_FILTERS: v.optional(text),
  /** Lets the repository's commands run with all of the worker's rights where there is no sandbox. */
  MILLWRIGHT_UNSANDBOXED_COMMANDS: v.optional(v.picklist(['0', '1'], 'must be 1 or 0')),
  /** Folders beside the system's that commands may read, separated by commas: a Python or Node in a home folder. */
  MILLWRIGHT_COMMAND_FOLDERS: v.optional(text),
  /** The sandbox by path; the first `bwrap` on the PATH where left out. */
  MILLWRIGHT_BWRAP: v.optional(text),
})

export interface WorkerConfig {
  readonly natsUrl: string
  readonly repository: string
  readonly dataFolder: string
  readonly workspace: WorkspaceId | undefined
  /** As `--model` says them; the first is the default. */
  readonly models: readonly string[]
  readonly modelsFolder: string | undefined
  readonly threads: number | undefined
  readonly slots: number | undefined
  readonly allowedPaths: readonly string[]
  readonly allowedFilters: readonly string[]
  readonly unsandboxedCommands: boolean
  readonly commandFolders: readonly string[]
  readonly bubblewrap: string | undefined
}

const flags = {
  repo: { type: 'string' },
  data: { type: 'string' },
  workspace: { type: 'string' },
  model: { type: 'string', multiple: true },
  models: { type: 'string' },
  threads: { type: 'string' },
  slots: { type: 'string' },
  'unsandboxed-commands': { type: 'boolean' },
  help: { type: 'boolean' },
} as const

export const workerUsage = `npm run worker -- --repo PATH [--workspace NAME] [--model [NAME=]MODEL]... [--data DIR] [--models DIR] [--threads N] [--slots N] [--unsandboxed-commands]
with NATS_URL=nats://USER:PASSWORD@HOST:PORT in the environment. MODEL is a name, a .gguf file, hf:USER/REPOSITORY:Q4_K_M
or openai:http://HOST:PORT/v1#MODEL; the first is the default`

/** Reads the machine's settings: flags win over the environment. Throws `invalid_input` naming the variable that is wrong. */
export function parseWorkerConfig(argv: readonly string[], environment: NodeJS.ProcessEnv): WorkerConfig {
  const given = parseFlags(argv)
  const result = v.safeParse(Config, {
    ...environment,
    ...defined('MILLWRIGHT_REPOSITORY', given.repo),
    ...defined('MILLWRIGHT_DATA', given.data),
    ...defined('MILLWRIGHT_WORKSPACE', given.workspace),
    ...defined('MILLWRIGHT_MODELS', given.models),
    ...defined('MILLWRIGHT_THREADS', given.threads),
    ...defined('MILLWRIGHT_SLOTS', given.slots),
    ...defined('MILLWRIGHT_UNSANDBOXED_COMMANDS', given['unsandboxed-commands'] === true ? '1' : undefined),
  })
  if (!result.success) {
    const lines = result.issues.map(
      (issue) => `${v.getDotPath(issue)}: ${issue.input === undefined ? 'not set' : issue.message}`,
    )
    throw new AppError('invalid_input', `Cannot start the worker: ${lines.join('; ')}`, { hint: workerUsage })
  }
  const config = result.output
  return {
    natsUrl: config.NATS_URL,
    repository: config.MILLWRIGHT_REPOSITORY,
    dataFolder: config.MILLWRIGHT_DATA,
    workspace: config.MILLWRIGHT_WORKSPACE,
    models: given.model ?? toList(config.MILLWRIGHT_MODEL),
    modelsFolder: config.MILLWRIGHT_MODELS,
    threads: config.MILLWRIGHT_THREADS,
    slots: config.MILLWRIGHT_SLOTS,
    allowedPaths: toList(config.MILLWRIGHT_ALLOW_PATHS),
    allowedFilters: toList(config.MILLWRIGHT_ALLOW_FILTERS),
    unsandboxedCommands: config.MILLWRIGHT_UNSANDBOXED_COMMANDS === '1',
    commandFolders: toList(config.MILLWRIGHT_COMMAND_FOLDERS),
    bubblewrap: config.MILLWRIGHT_BWRAP,
  }
}

function parseFlags(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags, strict: true, allowPositionals: false }).values
  } catch (cause) {
    throw new AppError(
      'invalid_input',
      `Cannot start the worker: ${cause instanceof Error ? cause.message : 'unknown flag'}`,
      {
        cause,
        hint: workerUsage,
      },
    )
  }
}

const toList = (text = ''): string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')

const defined = (name: string, value: string | undefined): Record<string, string> =>
  value === undefined ? {} : { [name]: value }
