import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import { WorkspaceId } from '#shared/ids.ts'
import { FlashAttention } from './inference/flash-attention.ts'
import { KvCache } from './inference/kv-cache.ts'
import { LEVERS_DEFAULT, type Levers } from './inference/levers.ts'

const text = v.pipe(v.string(), v.minLength(1))
const count = v.pipe(v.string(), v.regex(/^[1-9]\d{0,3}$/, 'must be a whole number from 1'), v.toNumber())

/** 0 is an answer here; a million is a terabyte. */
const megabytes = v.pipe(
  v.string(),
  v.regex(/^\d{1,7}$/, 'must be a whole number of megabytes, 0 for none'),
  v.toNumber(),
)

const Config = v.object({
  /** Left out: as the machine was told when it was enrolled. */
  NATS_URL: v.optional(
    v.pipe(text, v.regex(/^(nats|tls|wss?):\/\/[^\s]+$/, 'must look like nats://USER:PASSWORD@HOST:PORT')),
  ),
  NATS_CA: v.optional(text),
  /** What enrolling has left here. */
  MILLWRIGHT_MACHINE: v.optional(text),
  /** `repository`, `model` or both, separated by commas. */
  MILLWRIGHT_ROLES: v.optional(text),
  MILLWRIGHT_REPOSITORY: v.optional(text),
  MILLWRIGHT_DATA: v.optional(text),
  MILLWRIGHT_WORKSPACE: v.optional(WorkspaceId),
  /** One or more, separated by commas. */
  MILLWRIGHT_MODEL: v.optional(text),
  MILLWRIGHT_MODELS: v.optional(text),
  MILLWRIGHT_THREADS: v.optional(count),
  /** Answers that the model writes at the same time. */
  MILLWRIGHT_SLOTS: v.optional(v.pipe(count, v.maxValue(64, 'must be at most 64'))),
  /** Disk for the prompts of agents that have no slot. */
  MILLWRIGHT_STATES_MB: v.optional(megabytes),
  /** Of the default model; a .gguf file. */
  MILLWRIGHT_DRAFT_MODEL: v.optional(v.pipe(text, v.regex(/\.gguf$/i, 'must be the path of a .gguf file'))),
  MILLWRIGHT_PROMPT_LOOKUP: v.optional(v.picklist(['on', 'off'])),
  MILLWRIGHT_FLASH_ATTENTION: v.optional(FlashAttention),
  MILLWRIGHT_KV_CACHE: v.optional(KvCache),
  /** Exact repository paths that the owner opens although they are protected, separated by commas. */
  MILLWRIGHT_ALLOW_PATHS: v.optional(text),
  /** Git filter drivers that the owner lets run although the repository names their programs, separated by commas. */
  MILLWRIGHT_ALLOW_FILTERS: v.optional(text),
  /** Lets run_pre_commit run hook files of git, in the sandbox. */
  MILLWRIGHT_GIT_HOOKS: v.optional(v.picklist(['0', '1'], 'must be 1 or 0')),
  /** Where pre-commit keeps its environments, as pre-commit itself is told. */
  PRE_COMMIT_HOME: v.optional(text),
  XDG_CACHE_HOME: v.optional(text),
  /** Lets the repository's commands run with all of the worker's rights where there is no sandbox. */
  MILLWRIGHT_UNSANDBOXED_COMMANDS: v.optional(v.picklist(['0', '1'], 'must be 1 or 0')),
  /** Folders beside the system's that commands may read, separated by commas: a Python or Node in a home folder. */
  MILLWRIGHT_COMMAND_FOLDERS: v.optional(text),
  /** The sandbox by path; the first `bwrap` on the PATH where left out. */
  MILLWRIGHT_BWRAP: v.optional(text),
})

export interface WorkerConfig {
  /** Null where the machine's own file says where it is. */
  readonly nats: { readonly url: string; readonly authorityFile: string | undefined } | null
  readonly machineFile: string
  /** Null: this worker serves none. */
  readonly repository: { readonly folder: string; readonly dataFolder: string } | null
  /** Whether models run here. Otherwise the names in `models` are those of other workers' models. */
  readonly servesModels: boolean
  /** For a model worker undefined means all workspaces, for a repository worker the name of its folder. */
  readonly workspace: WorkspaceId | undefined
  /** As `--model` says them; the first is the default. */
  readonly models: readonly string[]
  /** Where downloaded models are kept; undefined only where no models run. */
  readonly modelsFolder: string | undefined
  readonly threads: number | undefined
  readonly slots: number | undefined
  /** For the prompts of agents without a slot. Several workers may share it. */
  readonly statesFolder: string
  readonly statesBytesMax: number | undefined
  /** Of every model that this worker runs itself; the draft model is the default one's. */
  readonly levers: Levers
  readonly allowedPaths: readonly string[]
  readonly allowedFilters: readonly string[]
  readonly gitHooks: boolean
  /** Of the worker's user; need not be there. */
  readonly preCommitStore: string
  readonly unsandboxedCommands: boolean
  readonly commandFolders: readonly string[]
  readonly bubblewrap: string | undefined
}

const roleNames = ['repository', 'model'] as const
type Role = (typeof roleNames)[number]

const flags = {
  role: { type: 'string', multiple: true },
  repo: { type: 'string' },
  data: { type: 'string' },
  workspace: { type: 'string' },
  model: { type: 'string', multiple: true },
  models: { type: 'string' },
  threads: { type: 'string' },
  slots: { type: 'string' },
  'states-mb': { type: 'string' },
  machine: { type: 'string' },
  'unsandboxed-commands': { type: 'boolean' },
  help: { type: 'boolean' },
} as const

export const workerUsage = `npm run worker -- --repo PATH [--workspace NAME] [--model [NAME=]MODEL]... [--data DIR] [--models DIR] [--threads N] [--slots N] [--states-mb N] [--unsandboxed-commands]
       npm run worker -- --role model --models DIR [--model [NAME=]MODEL]... [--workspace NAME]
       npm run worker -- --role repository --repo PATH --data DIR [--model NAME]...
       npm run worker -- enroll LINE [--machine FILE]
LINE is what npm run keys -- machine NAME prints on the machine of the edge; it is needed once. MODEL is a name, a .gguf file, hf:USER/REPOSITORY:Q4_K_M
or openai:http://HOST:PORT/v1#MODEL; the first is the default. MODEL#sha256=HEX checks a file
before it is loaded.
Without --role a worker does both: it serves a repository, and its models to other workers too`

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
    ...defined('MILLWRIGHT_MACHINE', given.machine),
    ...defined('MILLWRIGHT_SLOTS', given.slots),
    ...defined('MILLWRIGHT_STATES_MB', given['states-mb']),
    ...defined('MILLWRIGHT_UNSANDBOXED_COMMANDS', given['unsandboxed-commands'] === true ? '1' : undefined),
  })
  if (!result.success) {
    const lines = result.issues.map(
      (issue) => `${v.getDotPath(issue)}: ${issue.input === undefined ? 'not set' : issue.message}`,
    )
    throw wrong(lines.join('; '))
  }
  const config = result.output
  const roles = parseRoles(given.role ?? toList(config.MILLWRIGHT_ROLES))
  return {
    nats: config.NATS_URL === undefined ? null : { url: config.NATS_URL, authorityFile: config.NATS_CA },
    machineFile: config.MILLWRIGHT_MACHINE ?? defaultMachineFile(environment),
    ...parseFolders(roles, config),
    servesModels: roles.has('model'),
    workspace: config.MILLWRIGHT_WORKSPACE,
    models: given.model ?? toList(config.MILLWRIGHT_MODEL),
    threads: config.MILLWRIGHT_THREADS,
    slots: config.MILLWRIGHT_SLOTS,
    statesBytesMax: config.MILLWRIGHT_STATES_MB === undefined ? undefined : config.MILLWRIGHT_STATES_MB * 1_000_000,
    levers: toLevers(config),
    allowedPaths: toList(config.MILLWRIGHT_ALLOW_PATHS),
    allowedFilters: toList(config.MILLWRIGHT_ALLOW_FILTERS),
    gitHooks: config.MILLWRIGHT_GIT_HOOKS === '1',
    preCommitStore: findPreCommitStore(config),
    unsandboxedCommands: config.MILLWRIGHT_UNSANDBOXED_COMMANDS === '1',
    commandFolders: toList(config.MILLWRIGHT_COMMAND_FOLDERS),
    bubblewrap: config.MILLWRIGHT_BWRAP,
  }
}

/** What stands behind `enroll`. Throws `invalid_input` where it is not one line. */
export function parseEnrollArguments(argv: readonly string[], environment: NodeJS.ProcessEnv) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { machine: flags.machine },
      strict: true,
      allowPositionals: true,
    })
    const [line, ...more] = positionals
    if (line === undefined || more.length > 0) throw new Error('enroll takes one line')
    return { line, machineFile: values.machine ?? environment.MILLWRIGHT_MACHINE ?? defaultMachineFile(environment) }
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : 'enroll takes one line')
  }
}

function parseRoles(names: readonly string[]): ReadonlySet<Role> {
  const roles = names.map((name) => {
    const role = roleNames.find((each) => each === name)
    if (role === undefined) throw wrong(`MILLWRIGHT_ROLES: must be of ${roleNames.join(', ')}`)
    return role
  })
  return new Set(roles.length === 0 ? roleNames : roles)
}

/** Where things are kept: each role needs its own, and none of the other's. */
function parseFolders(
  roles: ReadonlySet<Role>,
  config: v.InferOutput<typeof Config>,
): Pick<WorkerConfig, 'repository' | 'modelsFolder' | 'statesFolder'> {
  const folder = config.MILLWRIGHT_REPOSITORY
  const dataFolder = config.MILLWRIGHT_DATA
  const modelsFolder = config.MILLWRIGHT_MODELS ?? (dataFolder === undefined ? undefined : join(dataFolder, 'models'))
  if (!roles.has('repository')) {
    if (modelsFolder !== undefined)
      return { repository: null, modelsFolder, statesFolder: join(dataFolder ?? modelsFolder, 'states') }
    throw wrong('MILLWRIGHT_MODELS: not set (--models DIR: where downloaded models are kept)')
  }
  const missing = [
    ...(folder === undefined
      ? ['MILLWRIGHT_REPOSITORY: not set (--repo PATH; not needed with --role model alone)']
      : []),
    ...(dataFolder === undefined ? ['MILLWRIGHT_DATA: not set (--data DIR)'] : []),
  ]
  if (folder === undefined || dataFolder === undefined) throw wrong(missing.join('; '))
  return { repository: { folder, dataFolder }, modelsFolder, statesFolder: join(dataFolder, 'states') }
}

const wrong = (what: string): AppError =>
  new AppError('invalid_input', `Cannot start the worker: ${what}`, { hint: workerUsage })

/** Throws `invalid_input` for what excludes each other. */
function toLevers(config: v.InferOutput<typeof Config>): Levers {
  const levers: Levers = {
    promptLookup: config.MILLWRIGHT_PROMPT_LOOKUP !== 'off',
    flashAttention: config.MILLWRIGHT_FLASH_ATTENTION ?? LEVERS_DEFAULT.flashAttention,
    kvCache: config.MILLWRIGHT_KV_CACHE ?? LEVERS_DEFAULT.kvCache,
    draftModel: config.MILLWRIGHT_DRAFT_MODEL ?? LEVERS_DEFAULT.draftModel,
  }
  if (levers.kvCache !== 'f16' && levers.flashAttention === 'off') {
    throw new AppError(
      'invalid_input',
      `Cannot start the worker: MILLWRIGHT_KV_CACHE=${levers.kvCache} needs flash attention, which is off`,
      { hint: 'Leave out MILLWRIGHT_FLASH_ATTENTION, or MILLWRIGHT_KV_CACHE' },
    )
  }
  return levers
}

/** Where enrolling leaves a machine's credentials unless it is told otherwise. */
export const defaultMachineFile = ({ XDG_CONFIG_HOME }: NodeJS.ProcessEnv): string =>
  join(XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'millwright', 'machine.json')

/** As pre-commit finds it. */
const findPreCommitStore = (config: v.InferOutput<typeof Config>): string =>
  config.PRE_COMMIT_HOME ?? join(config.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pre-commit')

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
