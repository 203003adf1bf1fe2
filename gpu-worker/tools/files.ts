import { RE2JS } from 're2js'
import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX, LIST_FILES_PAGE_DEFAULT } from '#shared/protocol/limits.ts'
import type { Complexity } from '#shared/schemas/check.ts'
import { landFile } from '../agent/land.ts'
import { removeFile } from '../agent/remove.ts'
import type { FileChecker } from '../ports/file-checker.ts'
import type { FileEntry, FileTree, ResolvedFile } from '../ports/file-tree.ts'
import type { Registry } from '../ports/registry.ts'
import type { Repository } from '../ports/repository.ts'
import type { WriteJournal } from '../ports/write-journal.ts'
import { createGlob } from '../workspace/glob.ts'
import type { KeyedLocks } from '../workspace/locks.ts'
import { createOwnedFileTree, requireMayChange } from '../workspace/ownership.ts'
import { parseRepositoryPath } from '../workspace/repository-path.ts'
import { countLines, decodeText, pageLines } from '../workspace/text.ts'
import { unconfirmed, versionToReplace } from './confirmation.ts'
import { applyEdits } from './edits.ts'
import type { ToolContext, ToolHandlers } from './handler.ts'
import { createPace } from './pace.ts'

export interface FileToolPorts {
  readonly files: FileTree
  readonly repository: Repository
  readonly registry: Registry
  readonly checker: FileChecker
  readonly journal: WriteJournal
  /** By file key: a tool that reads, edits and writes a file does so alone, so that of many none is lost. */
  readonly edits: KeyedLocks
}

const SEARCH_LIMIT_DEFAULT = 100
const SEARCH_LINE_CHARACTERS_MAX = 300
/** Nothing can stop a regex within a line, and the slowest that RE2 takes need 25 µs a character: a tenth of a second. */
const REGEX_LINE_CHARACTERS_MAX = 4000
/** More functions than a file of reasonable size has. */
const FUNCTIONS_SHOWN_MAX = 200
/** Paths that one question to git about ignored files carries. */
const IGNORE_BATCH = 1000

/** Reads a text file and returns the lines asked for. */
export async function readPage(files: FileTree, path: string, offset = 0, limit = Number.POSITIVE_INFINITY) {
  const file = await files.read(path, FILE_BYTES_MAX)
  const text = decodeText(file.path, file.bytes)
  const page = pageLines(text, offset, limit)
  return {
    path: file.path,
    content: page.content,
    sha256: file.sha256,
    line_count: countLines(text),
    next_offset: page.nextOffset,
  }
}

/** Checks and writes a file for a caller who may. Shared by the tools that write. */
export async function writeAs(
  ports: FileToolPorts,
  context: ToolContext,
  request: {
    path: string
    /** The new content, given what is there when this caller's turn has come. */
    content: (file: ResolvedFile) => Promise<{ text: string; expectedSha256: string | null | undefined }>
    dryRun: boolean
  },
) {
  const file = await ports.files.resolve(request.path, 'write')
  await requireMayChange(file, context.agent, ports.registry)
  const files = createOwnedFileTree(ports.files, ports.registry, context.agent, context.signal)
  const landed = await ports.edits.run(
    file.key,
    async () => {
      const { text, expectedSha256 } = await request.content(file)
      const agentId = context.agent?.agent_id ?? null
      const landing = { file, text, expectedSha256, dryRun: request.dryRun, jobId: null, agentId, ...timeOf(context) }
      return landFile(landing, { ...ports, files }, context.signal)
    },
    context.signal,
  )
  return {
    path: file.path,
    changed: landed.changed,
    diff: landed.diff,
    diff_truncated: landed.diffTruncated,
    checks: landed.checks,
    sha256: landed.sha256,
  }
}

type FileTools =
  | 'read_file'
  | 'write_file'
  | 'update_file'
  | 'delete_file'
  | 'list_files'
  | 'search_files'
  | 'validate_file'

export function createFileTools(ports: FileToolPorts): ToolHandlers<FileTools> {
  const { files, registry, checker } = ports
  return {
    read_file: (input) => readPage(files, input.path, input.offset, input.limit),

    write_file: (input, context) =>
      writeAs(ports, context, {
        path: input.path,
        content: async (file) => ({
          text: input.content,
          expectedSha256: await versionToReplace(ports, file, context.agent?.agent_id ?? null, input),
        }),
        dryRun: false,
      }),

    update_file: (input, context) =>
      writeAs(ports, context, {
        path: input.path,
        content: async ({ path }) => {
          const file = await files.read(path, FILE_BYTES_MAX)
          refuseOtherVersion('edit', path, input.expected_sha256, file.sha256)
          // The edits are made on these bytes; what somebody else writes in between must not be lost.
          return { text: applyEdits(path, decodeText(path, file.bytes), input.edits), expectedSha256: file.sha256 }
        },
        dryRun: input.dry_run ?? false,
      }),

    async delete_file(input, context) {
      const file = await files.resolve(input.path, 'write')
      await requireMayChange(file, context.agent, registry)
      const owned = createOwnedFileTree(files, registry, context.agent, context.signal)
      const remove = async () => {
        const { bytes, sha256 } = await files.read(file.path, FILE_BYTES_MAX)
        refuseOtherVersion('delete', file.path, input.expected_sha256, sha256)
        if (input.expected_sha256 === undefined && input.confirm !== true) {
          throw unconfirmed('delete', { path: file.path, sha256, line_count: linesOf(bytes) })
        }
        const agentId = context.agent?.agent_id ?? null
        return removeFile({ file, bytes, sha256, jobId: null, agentId, outcome: null }, { ...ports, files: owned })
      }
      const blob = await ports.edits.run(file.key, remove, context.signal)
      return { path: file.path, deleted: true, recoverable_as: blob }
    },

    async list_files(input, context) {
      const limit = input.limit ?? LIST_FILES_PAGE_DEFAULT
      const matches = input.glob === undefined ? () => true : createGlob(input.glob)
      const after = input.cursor === undefined ? null : decodeCursor(input.cursor)
      const found: FileEntry[] = []
      let more = false
      for await (const entry of visible(ports, input.path ?? '', after, context.signal)) {
        if (!matches(entry.path)) continue
        if (found.length === limit) {
          more = true
          break
        }
        found.push(entry)
      }
      const owners = await registry.findOwners(found.filter((entry) => entry.kind === 'file').map((entry) => entry.key))
      return {
        entries: found.map(({ path, kind, bytes, key }) => ({ path, kind, bytes, owner: owners.get(key) ?? null })),
        next_cursor: more ? encodeCursor(found.at(-1)?.path ?? '') : null,
      }
    },

    async search_files(input, context) {
      const limit = input.limit ?? SEARCH_LIMIT_DEFAULT
      const inGlob = input.glob === undefined ? () => true : createGlob(input.glob)
      const isRegex = input.regex === true
      const found = isRegex ? createSearch(input.pattern) : (line: string) => line.includes(input.pattern)
      const pace = createPace('Cannot search the repository', context.signal)
      const matches: { path: string; line: number; text: string }[] = []
      let skipped = 0
      for await (const entry of visible(ports, '', null, context.signal)) {
        if (entry.kind !== 'file' || !inGlob(entry.path)) continue
        const text = await readSearchable(files, entry.path)
        if (text === null) {
          skipped++
          continue
        }
        let line = 0
        let isPartly = false
        for (const content of text.split('\n')) {
          line++
          const pause = pace()
          if (pause !== null) await pause
          if (isRegex && content.length > REGEX_LINE_CHARACTERS_MAX) {
            isPartly = true
            continue
          }
          if (!found(content)) continue
          if (matches.length === limit) return { matches, truncated: true, files_skipped: skipped }
          matches.push({
            path: entry.path,
            line,
            text: content.slice(0, SEARCH_LINE_CHARACTERS_MAX).replace(/\r$/, ''),
          })
        }
        if (isPartly) skipped++
      }
      return { matches, truncated: false, files_skipped: skipped }
    },

    async validate_file(input, context) {
      const target =
        input.path === undefined
          ? { path: (await files.resolve(input.file_path ?? '', 'read')).path, text: input.content ?? '' }
          : await files.read(input.path, FILE_BYTES_MAX).then((file) => ({
              path: file.path,
              text: decodeText(file.path, file.bytes),
            }))
      const check = await checker.check({ ...target, before: null, ...timeOf(context) }, context.signal)
      return {
        path: target.path,
        ...check.checks,
        syntax_errors: [...check.syntaxErrors],
        line_count: check.lineCount,
        complexity: check.complexity === null ? null : withMostComplex(check.complexity),
      }
    },
  }
}

/** Of what may be no text. */
const linesOf = (bytes: Uint8Array): number => countLines(new TextDecoder().decode(bytes))

const timeOf = ({ deadline }: ToolContext): { deadline?: number } => (deadline === undefined ? {} : { deadline })

/** Leaves out the simplest functions where there are too many to show; the others stay in order. */
export function withMostComplex(complexity: Complexity): Complexity {
  const weight = (each: Complexity['functions'][number]): number => each.cyclomatic + each.cognitive
  const shown = new Set(complexity.functions.toSorted((a, b) => weight(b) - weight(a)).slice(0, FUNCTIONS_SHOWN_MAX))
  return { ...complexity, functions: complexity.functions.filter((each) => shown.has(each)) }
}

function refuseOtherVersion(action: string, path: string, expected: string | undefined, found: string): void {
  if (expected === undefined || expected === found) return
  throw new AppError('conflict', `Cannot ${action} "${path}": it is not the version that was expected`, {
    hint: 'Read the file again and decide anew on what it holds now',
    details: { sha256: found },
  })
}

/** What a person would see below a folder: everything but what git ignores. An ignored folder that is asked for is shown. */
export async function* visible(
  { files, repository }: Pick<FileToolPorts, 'files' | 'repository'>,
  folder: string,
  after: string | null,
  signal: AbortSignal,
): AsyncGenerator<FileEntry> {
  let batch: FileEntry[] = []
  let all: boolean | undefined
  async function* flush(): AsyncGenerator<FileEntry> {
    all ??= folder !== '' && (await isBelowIgnored(repository, batch[0]))
    const ignored = all ? new Set() : await repository.ignored(batch.map((entry) => entry.path))
    for (const entry of batch) if (!ignored.has(entry.path)) yield entry
    batch = []
  }
  for await (const entry of files.walk(folder, after)) {
    // Of a short call the daemon makes it a timeout: nothing else aborts one.
    if (signal.aborted) throw new AppError('cancelled', 'Cannot list the repository: the call was cancelled')
    batch.push(entry)
    if (batch.length === IGNORE_BATCH) yield* flush()
  }
  if (batch.length > 0) yield* flush()
}

/** Whether git ignores the folder of an entry, and so everything in it. */
async function isBelowIgnored(repository: Repository, entry: FileEntry | undefined): Promise<boolean> {
  const slash = entry?.path.lastIndexOf('/') ?? -1
  if (entry === undefined || slash === -1) return false
  return (await repository.ignored([parseRepositoryPath(entry.path.slice(0, slash))])).size > 0
}

/** Null for what cannot be searched: protected, too large, not text, gone. */
async function readSearchable(files: FileTree, path: string): Promise<string | null> {
  try {
    return decodeText(path, (await files.read(path, FILE_BYTES_MAX)).bytes)
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

function createSearch(pattern: string): (line: string) => boolean {
  try {
    const expression = RE2JS.compile(pattern)
    return (line) => expression.matcher(line).find()
  } catch (cause) {
    throw new AppError(
      'invalid_input',
      `Cannot read pattern: ${cause instanceof Error ? cause.message.slice(0, 200) : 'not RE2'}`,
      {
        cause,
        hint: 'RE2 has no look-around and no back-references; leave regex out to search for the text itself',
      },
    )
  }
}

const encodeCursor = (path: string): string => Buffer.from(path, 'utf8').toString('base64url')
const decodeCursor = (cursor: string): string => Buffer.from(cursor, 'base64url').toString('utf8')
