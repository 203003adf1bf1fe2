import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { QualityReport } from '#shared/schemas/quality.ts'
import type { DuplicationIndex } from '../analysis/duplication.ts'
import { analyzeQuality, type QualityPorts } from '../analysis/quality.ts'
import { createFileChecker } from '../gates/file-checker.ts'
import type { SettingsSource } from '../gates/settings-source.ts'
import type { FileTree } from '../ports/file-tree.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import { decodeText } from '../workspace/text.ts'

export interface MeasuredFile {
  readonly path: string
  readonly text: string
  readonly report: QualityReport
}

/** Measures a file of the repository; null for what is protected, no text, too large or gone. */
export type FileMeasure = (path: string, signal: AbortSignal) => Promise<MeasuredFile | null>

/** A copy has two ends, and a step of one file can mend only one of them: plans are made without. */
const noDuplication: DuplicationIndex = {
  compare: async () => ({ copies: [], duplicatedLines: 0, filesCompared: 0, filesLeft: 0, filesSkipped: 0 }),
}

/** Measures by the repository's rules, as `analyze_code_quality` does, without its commands and without duplication. */
export function createFileMeasure(files: FileTree, parser: SourceParser, settings: SettingsSource): FileMeasure {
  const checker = createFileChecker({ parser, settings: withoutCommands(settings) })
  const ports: QualityPorts = {
    checker,
    parser,
    duplication: noDuplication,
    files: { list: async function* () {}, read: async () => null },
  }
  return async (path, signal) => {
    const text = await readText(files, path)
    if (text === null) return null
    return { path, text, report: await analyzeQuality(ports, { path, name: path, text }, signal) }
  }
}

/** They judge what is written, take as long as they like, and have no part in the figures. */
function withoutCommands(settings: SettingsSource): SettingsSource {
  return async () => {
    const state = await settings()
    return { ...state, settings: { ...state.settings, commands: [] } }
  }
}

async function readText(files: FileTree, path: string): Promise<string | null> {
  try {
    // What may not be written is not read either: no step could be of use to it.
    const file = await files.resolve(path, 'write')
    return decodeText(file.path, (await files.read(file.path, FILE_BYTES_MAX)).bytes)
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}
