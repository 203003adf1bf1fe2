import { setImmediate } from 'node:timers/promises'
import { AppError } from '#shared/errors.ts'
import type { JobProgress } from '#shared/schemas/job.ts'
import { CONFIGURATION_RULE, configurationViolation } from '../gates/configuration.ts'
import { createFileChecker } from '../gates/file-checker.ts'
import { type CheckSettings, SETTINGS_PATH } from '../gates/settings.ts'
import type { SettingsSource } from '../gates/settings-source.ts'
import type { Rule, Weight } from '../gates/severity.ts'
import type { FileEntry, FileTree } from '../ports/file-tree.ts'
import type { Registry } from '../ports/registry.ts'
import type { Repository } from '../ports/repository.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import { type FiguresOfFile, largestFiles } from './file-figures.ts'
import { createVerdictMemory, type FileVerdicts } from './file-verdicts.ts'
import { createFindingCollector, type FindingCollector, type Findings } from './findings.ts'
import { checkOwnership } from './owned-files.ts'
import { checkStructure } from './structure.ts'

export interface ValidationPorts {
  readonly files: FileTree
  readonly repository: Pick<Repository, 'ignored'>
  readonly settings: SettingsSource
  /** Everything below the top folder but what git ignores. May reject with `timeout` once the signal is aborted. */
  readonly list: (signal: AbortSignal) => AsyncIterable<FileEntry>
  /** One for each run, which closes it. */
  readonly createParser: () => SourceParser
  /** Null where there are no agents to ask about. */
  readonly registry: Pick<Registry, 'listOwners'> | null
}

export interface ValidationOptions {
  readonly signal: AbortSignal
  readonly onProgress: (progress: JobProgress) => void
}

export interface RepositoryReport extends Findings {
  /** Nothing of weight `error` was found, and everything was looked at. */
  readonly passed: boolean
  /** Why not everything was looked at; null where it was. */
  readonly incomplete: string | null
  readonly filesChecked: number
  /** Of these: those that are as they were when they were checked before. */
  readonly filesKnown: number
  readonly filesSkipped: number
  /** The first of the files that were passed over. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[]
  /** The largest of the files that were checked. */
  readonly files: readonly FiguresOfFile[]
  /** Rules that did not run. */
  readonly notRun: readonly { readonly rule: string; readonly reason: string }[]
}

/** Looks at a whole repository by its rules. */
export interface RepositoryValidation {
  /**
   * `paths` limits what is judged to files and folders, null to nothing; what is not among them still counts as there.
   * Tells its progress twice a second. Rejects with AppError: `not_found` for a path at which there is nothing to check,
   * `invalid_input` and `outside_repository` for one that is none, `cancelled`, and `unavailable`.
   */
  run(paths: readonly string[] | null, options: ValidationOptions): Promise<RepositoryReport>
}

/** Folders without files take their time too: this many entries are a quarter of a minute. */
const ENTRIES_MAX = 200_000
const FILES_MAX = 100_000
const SKIPPED_SHOWN_MAX = 20
const PROGRESS_MS = 500
/** Enough to keep the parser's threads busy while files are read and searched; few enough to be forgotten at once. */
const FILES_AT_ONCE = 8
/** Work between two awaits; see tools/pace.ts. */
const TURN_MS = 20

interface Listing {
  readonly files: readonly string[]
  readonly incomplete: string | null
}

export function createRepositoryValidation(ports: ValidationPorts): RepositoryValidation {
  const remember = createVerdictMemory(ports.files)
  return {
    async run(paths, { signal, onProgress }) {
      const asked = paths === null ? null : paths.map(toAsked)
      let progress: JobProgress = { phase: 'scanning', round: 0, tokens: 0, message: 'Looking for files' }
      const timer = setInterval(() => onProgress(progress), PROGRESS_MS)
      const parser = ports.createParser()
      const tell = (phase: JobProgress['phase'], message: string): void => {
        progress = { phase, round: 0, tokens: 0, message }
      }
      try {
        onProgress(progress)
        const { settings, fault } = await ports.settings()
        const listing = await listFiles(ports, signal, (count) => tell('scanning', `Found ${count} files`))
        const isAsked = toSelection(asked, listing)
        const collector = createFindingCollector()
        addConfiguration(collector, fault, isAsked)
        await checkStructure({ files: listing.files, isAsked, settings, collector, pace: createTurns(signal) })
        const { ownership } = settings.severities
        if (ports.registry !== null && ownership !== 'off') {
          tell('scanning', 'Looking at the files of agents')
          await checkOwnership({ ...ports, registry: ports.registry }, collector, ownership, isAsked, signal)
        }
        // One state of the rules for the whole run; folders were judged once, above.
        const checked = withoutFolderNames(settings)
        const checker = createFileChecker({ parser, settings: async () => ({ settings: checked, fault: null }) })
        const verdicts = remember(checked, checker)
        const files = listing.files.filter(isAsked)
        const work = { files, verdicts, collector, settings, signal }
        const counts = await judgeFiles(work, (done) => tell('checking', `Checked ${done} of ${files.length} files`))
        const found = collector.finish()
        return {
          ...found,
          ...counts,
          passed: found.errorCount === 0 && listing.incomplete === null,
          incomplete: listing.incomplete,
          notRun: rulesNotRun(settings, ports.registry !== null),
        }
      } finally {
        clearInterval(timer)
        await parser.close()
      }
    },
  }
}

const toAsked = (path: string): string => (/^(?:\.\/*)?$/.test(path) ? '' : parseRepositoryPath(path))

async function listFiles(
  { list }: ValidationPorts,
  signal: AbortSignal,
  onCount: (files: number) => void,
): Promise<Listing> {
  const files: string[] = []
  let entries = 0
  try {
    for await (const { path, kind } of list(signal)) {
      if (++entries > ENTRIES_MAX) {
        return { files, incomplete: `more than ${ENTRIES_MAX} files and folders: name some in paths` }
      }
      if (kind !== 'file') continue
      if (files.length === FILES_MAX) return { files, incomplete: `more than ${FILES_MAX} files: name some in paths` }
      files.push(path)
      onCount(files.length)
    }
  } catch (error) {
    throw signal.aborted ? cancelled() : error
  }
  return { files, incomplete: null }
}

/** Which paths are asked about. Rejects with `not_found` where one that was named leads to no file. */
function toSelection(asked: readonly string[] | null, { files, incomplete }: Listing): (path: string) => boolean {
  if (asked === null || asked.includes('')) return () => true
  const isIn = (path: string, each: string): boolean => path === each || path.startsWith(`${each}/`)
  const nowhere = incomplete === null ? asked.find((each) => !files.some((path) => isIn(path, each))) : undefined
  if (nowhere !== undefined) {
    throw new AppError('not_found', `Cannot check "${nowhere}": there is no file, or git ignores it`, {
      hint: 'Name files or folders as list_files shows them',
    })
  }
  return (path) => asked.some((each) => isIn(path, each))
}

function addConfiguration(collector: FindingCollector, fault: string | null, isAsked: (path: string) => boolean): void {
  const wrong = fault === null ? null : configurationViolation('', '', fault)
  // Whatever was asked about, it was judged by rules that the repository did not mean.
  if (wrong !== null) collector.add(CONFIGURATION_RULE, 'error', SETTINGS_PATH, [wrong])
  else if (isAsked(SETTINGS_PATH)) collector.add(CONFIGURATION_RULE, 'error', SETTINGS_PATH, [])
}

const filtered = new WeakMap<CheckSettings, CheckSettings>()

/** The same object for the same settings, so that what is remembered by it stays. */
function withoutFolderNames(settings: CheckSettings): CheckSettings {
  const known = filtered.get(settings)
  if (known !== undefined) return known
  const own = { ...settings, naming: settings.naming.filter(({ of }) => of !== 'folders') }
  filtered.set(settings, own)
  return own
}

interface Work {
  readonly files: readonly string[]
  readonly verdicts: FileVerdicts
  readonly collector: FindingCollector
  readonly settings: CheckSettings
  readonly signal: AbortSignal
}

type Counts = Pick<RepositoryReport, 'filesChecked' | 'filesKnown' | 'filesSkipped' | 'skipped' | 'files'>

async function judgeFiles(work: Work, onDone: (done: number) => void): Promise<Counts> {
  const { files, verdicts, collector, settings, signal } = work
  const skipped: { path: string; reason: string }[] = []
  const figures: FiguresOfFile[] = []
  const pace = createTurns(signal)
  let filesSkipped = 0
  let filesKnown = 0
  let next = 0
  let done = 0
  async function takeFiles(): Promise<void> {
    for (let path = files[next++]; path !== undefined; path = files[next++]) {
      const pause = pace()
      if (pause !== null) await pause
      const { verdict, isKnown } = await verdicts.judge(path, signal)
      if (isKnown) filesKnown++
      if (verdict.kind === 'skipped') {
        filesSkipped++
        if (skipped.length < SKIPPED_SHOWN_MAX) skipped.push({ path, reason: verdict.reason })
      } else {
        figures.push({ path, ...verdict.figures })
        for (const rule of verdict.ran) {
          // What is wrong with the configuration was said once, for the whole run.
          if (rule === CONFIGURATION_RULE) continue
          const found = verdict.violations.filter((violation) => violation.rule === rule)
          collector.add(rule, weightOf(settings, rule), path, found)
        }
      }
      onDone(++done)
    }
  }
  const takers = Array.from({ length: FILES_AT_ONCE }, () =>
    takeFiles().finally(() => {
      // Where one was refused, the others stop with it; at the end there is nothing left to take.
      next = files.length
    }),
  )
  await Promise.all(takers)
  return {
    filesChecked: files.length - filesSkipped,
    filesKnown,
    filesSkipped,
    skipped,
    files: largestFiles(figures),
  }
}

const weightOf = ({ severities }: CheckSettings, rule: string): Weight =>
  Object.hasOwn(severities, rule) ? severities[rule as Rule] : 'error'

/** What a reader may look for in vain. `scope` is about a task, so it has nothing to say here. */
function rulesNotRun({ severities, commands }: CheckSettings, hasAgents: boolean): RepositoryReport['notRun'] {
  const off = Object.entries(severities).filter(([rule, weight]) => weight === 'off' && rule !== 'scope')
  return [
    ...off.map(([rule]) => ({ rule, reason: 'off' })),
    ...(hasAgents ? [] : [{ rule: 'ownership', reason: 'no server was asked for its agents' }]),
    ...commands.map(({ name }) => ({ rule: `command:${name}`, reason: 'runs when a file is written or validated' })),
  ]
}

/** Lets everything else run every few milliseconds, and ends the work when it is cancelled. */
function createTurns(signal: AbortSignal): () => Promise<void> | null {
  let startedAt = performance.now()
  async function pause(): Promise<void> {
    await setImmediate()
    startedAt = performance.now()
  }
  return () => {
    if (signal.aborted) throw cancelled()
    return performance.now() - startedAt < TURN_MS ? null : pause()
  }
}

const cancelled = (): AppError => new AppError('cancelled', 'Cannot check the repository: the call was cancelled')
