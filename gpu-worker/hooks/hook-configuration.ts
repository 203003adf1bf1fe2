import * as v from 'valibot'
import { parse } from 'yaml'
import { AppError, invalidInput } from '#shared/errors.ts'

/** Where pre-commit looks for it. */
export const HOOKS_PATH = '.pre-commit-config.yaml'

/** Bytes. Long ones have 20,000; one that is made for it keeps the parser busy for a second or two. */
export const HOOKS_BYTES_MAX = 64 * 1024
/** Of a whole configuration. */
const HOOKS_MAX = 200
/** Uses of one anchor. An honest configuration repeats a file pattern; one that multiplies itself is refused. */
const ALIASES_MAX = 100

const SHORTER = 'A person makes it shorter, or runs the hooks with pre-commit'

const text = v.pipe(v.string(), v.maxLength(20_000))
const words = v.pipe(v.array(text), v.maxLength(500))

// What pre-commit knows and we do not need (rev, additional_dependencies, ci, …) may stand there too.
const Hook = v.object({
  id: v.pipe(text, v.minLength(1)),
  name: v.optional(text),
  entry: v.optional(text),
  language: v.optional(text),
  files: v.optional(text),
  exclude: v.optional(text),
  types: v.optional(words),
  types_or: v.optional(words),
  exclude_types: v.optional(words),
  args: v.optional(words),
  pass_filenames: v.optional(v.boolean()),
  always_run: v.optional(v.boolean()),
  fail_fast: v.optional(v.boolean()),
  stages: v.optional(words),
})
export type HookEntry = v.InferOutput<typeof Hook>

const Configuration = v.object({
  repos: v.array(v.object({ repo: text, hooks: v.array(Hook) })),
  files: v.optional(text, ''),
  exclude: v.optional(text, '^$'),
  fail_fast: v.optional(v.boolean(), false),
  default_stages: v.optional(words),
})

export interface ConfiguredHook extends HookEntry {
  /** `local`, `meta`, or an address. */
  readonly repo: string
}

export interface HookConfiguration {
  /** Those that run before a commit, in order. */
  readonly hooks: readonly ConfiguredHook[]
  readonly files: string
  readonly exclude: string
  readonly failFast: boolean
}

/** As pre-commit reads it: YAML 1.1, with merge keys. Throws `invalid_input`, saying what is wrong and never what stood there. */
export function parseHookConfiguration(source: string): HookConfiguration {
  if (Buffer.byteLength(source) > HOOKS_BYTES_MAX) {
    throw new AppError('too_large', `Cannot read ${HOOKS_PATH}: over ${HOOKS_BYTES_MAX} bytes`, { hint: SHORTER })
  }
  const parsed = v.safeParse(Configuration, parseYaml(source))
  if (!parsed.success) throw invalidInput(HOOKS_PATH, parsed.issues)
  const { repos, files, exclude, fail_fast, default_stages } = parsed.output
  const hooks = repos
    .flatMap(({ repo, hooks: entries }) => entries.map((entry) => ({ ...entry, repo })))
    .filter(({ stages }) => runsBeforeCommit(stages ?? default_stages))
  if (hooks.length > HOOKS_MAX) {
    throw new AppError('too_large', `Cannot read ${HOOKS_PATH}: ${hooks.length} hooks, limit ${HOOKS_MAX}`, {
      hint: SHORTER,
    })
  }
  return { hooks, files, exclude, failFast: fail_fast }
}

function parseYaml(source: string): unknown {
  try {
    return parse(source, {
      ...{ version: '1.1', merge: true, maxAliasCount: ALIASES_MAX, logLevel: 'error' },
      // Of a key that stands twice the last counts, as for pre-commit; to compare each with all others takes seconds.
      ...{ uniqueKeys: false, prettyErrors: false },
    })
  } catch (cause) {
    // Nesting without end runs out of stack, which is a fault of the text as well.
    throw new AppError('invalid_input', `Cannot read ${HOOKS_PATH}: it is no YAML that can be used`, {
      hint: 'A person mends it; pre-commit validate-config says where',
      cause,
    })
  }
}

/** Left out means all stages. `commit` is the name of before pre-commit 3.2. */
const runsBeforeCommit = (stages: readonly string[] | undefined): boolean =>
  stages === undefined || stages.length === 0 || stages.some((stage) => stage === 'pre-commit' || stage === 'commit')
