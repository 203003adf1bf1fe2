import { AppError } from '#shared/errors.ts'
import type { CodeFigures } from '#shared/tools/improvement-outcome.ts'
import { type FileKind, fileKind } from '../gates/file-kind.ts'
import type { SettingsSource } from '../gates/settings-source.ts'
import type { CommandRunner } from '../ports/command-runner.ts'
import type { FileTree } from '../ports/file-tree.ts'
import type { SourceLanguage, SourceParser } from '../ports/source-parser.ts'
import type { TestSuite } from '../ports/test-suite.ts'
import { decodeText } from '../workspace/text.ts'
import type { FigureSource } from './figures.ts'
import type { Oracle } from './oracle.ts'

/** What plans and oracles are made with. */
export interface PlanPorts {
  readonly files: FileTree
  readonly parser: SourceParser
  readonly settings: SettingsSource
  readonly runner: CommandRunner
  readonly suite: TestSuite
  readonly figures: FigureSource
  /** The repository's files that git does not ignore, in a steady order. */
  readonly listPaths: (signal: AbortSignal) => AsyncIterable<string>
}

/** The file that a plan is to change, once it is certain that this caller may change it. */
export interface ClaimedFile {
  readonly path: string
  /** Null where it does not exist yet. */
  readonly text: string | null
  /** Of that text; null where there is none. */
  readonly figures: CodeFigures | null
  /** Figures of a text in its place. The last one is kept: asking again costs nothing. */
  readonly measure: (text: string, signal: AbortSignal) => Promise<CodeFigures>
}

export type Tell = (message: string) => void

/** What is asked for, and how the plan learns of the repository. */
export interface PlanRequest {
  /** As the caller writes it. */
  readonly path: string
  readonly ports: PlanPorts
  readonly signal: AbortSignal
  /** Refuses with `not_owner` and what FileTree refuses. Call it before anything that takes long. */
  readonly claim: (path: string) => Promise<ClaimedFile>
  /** Tells what is done beside asking the model: at once what is new, and again while something takes long. */
  readonly tell: Tell
}

/** One improvement of one file: what the model is told, and who judges what it writes. */
export interface Plan {
  readonly file: ClaimedFile
  /** Files for the model to read. */
  readonly context: readonly string[]
  readonly message: string
  /** In the order in which they are asked: the cheap ones first. */
  readonly oracles: readonly Oracle[]
}

/** Code that can be parsed. */
export interface CodeFile extends ClaimedFile {
  readonly text: string
  readonly figures: CodeFigures
  readonly language: SourceLanguage
  readonly kind: FileKind
}

/** Claims a file of code for change. `invalid_input` for what is no code that can be parsed, `not_found` where it is missing. */
export async function claimCode(what: string, { path, claim }: PlanRequest): Promise<CodeFile> {
  const file = await claim(path)
  const kind = fileKind(file.path)
  if (!kind.isCode || kind.language === null) {
    throw new AppError('invalid_input', `Cannot ${what} "${file.path}": it is no code that can be measured here`, {
      hint: 'Give a file of Python, JavaScript, TypeScript, Go, Rust, Java, C or C++, or use chat_with_agent',
    })
  }
  const { text, figures } = file
  if (text === null || figures === null)
    throw new AppError('not_found', `Cannot ${what} "${file.path}": there is no such file`)
  return { ...file, text, figures, language: kind.language, kind }
}

/** Reads a file that a plan only looks at. */
export async function readText(
  files: FileTree,
  path: string,
  bytesMax: number,
): Promise<{ path: string; text: string }> {
  const file = await files.read(path, bytesMax)
  return { path: file.path, text: decodeText(file.path, file.bytes) }
}

/** All paths of the repository, at most this many: enough for finding what stands beside a file. */
const PATHS_MAX = 50_000

export async function collectPaths({ ports, signal }: PlanRequest): Promise<string[]> {
  const paths: string[] = []
  for await (const path of ports.listPaths(signal)) {
    paths.push(path)
    if (paths.length === PATHS_MAX) break
  }
  return paths
}
