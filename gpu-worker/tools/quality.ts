import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import { type ComparedFiles, createDuplicationIndex, type DuplicationIndex } from '../analysis/duplication.ts'
import { detectLanguage, fileNames } from '../analysis/language.ts'
import { analyzeQuality, type QualitySubject } from '../analysis/quality.ts'
import { fileKind } from '../gates/file-kind.ts'
import type { FileChecker } from '../ports/file-checker.ts'
import type { FileTree } from '../ports/file-tree.ts'
import type { Repository } from '../ports/repository.ts'
import type { SourceParser } from '../ports/source-parser.ts'
import { countLines, decodeText } from '../workspace/text.ts'
import { visible, withMostComplex } from './files.ts'
import type { ToolHandlers } from './handler.ts'

export interface QualityToolPorts {
  readonly files: FileTree
  readonly repository: Repository
  readonly checker: FileChecker
  readonly parser: SourceParser
  /** Keeps what it has learnt of the repository's files from call to call. Left out: one of their own. */
  readonly duplication?: DuplicationIndex
}

export function createQualityTools(
  ports: QualityToolPorts,
): ToolHandlers<'validate_file_length' | 'analyze_code_quality'> {
  const { files, checker, parser, duplication = createDuplicationIndex(parser) } = ports
  const compared = createComparedFiles(ports)

  return {
    async validate_file_length({ file_path, content, max_lines }) {
      const { path } = await files.resolve(file_path, 'read')
      const text = content ?? (await readText(files, path))
      const limit = max_lines ?? (await checker.lineLimit(path))
      const line_count = countLines(text)
      return { path, violations: { exceeds_limit: limit !== null && line_count > limit, line_count, limit } }
    },

    async analyze_code_quality({ path, content, language }, { signal }) {
      const subject = await toSubject(path, content, language ?? null, signal)
      const report = await analyzeQuality({ checker, parser, duplication, files: compared }, subject, signal)
      return { ...report, complexity: report.complexity === null ? null : withMostComplex(report.complexity) }
    },
  }

  async function toSubject(
    path: string | undefined,
    content: string | undefined,
    language: keyof typeof fileNames | null,
    signal: AbortSignal,
  ): Promise<QualitySubject> {
    if (path === undefined) {
      const text = content ?? ''
      const name = fileNames[language ?? (await detectLanguage(parser, text, signal))]
      return { path: null, name, text }
    }
    const file = await files.read(path, FILE_BYTES_MAX)
    return { path: file.path, name: file.path, text: decodeText(file.path, file.bytes) }
  }
}

const readText = async (files: FileTree, path: string): Promise<string> =>
  decodeText(path, (await files.read(path, FILE_BYTES_MAX)).bytes)

/** The code of the repository that git does not ignore. What is protected or no text is passed over. */
export function createComparedFiles({
  files,
  repository,
}: Pick<QualityToolPorts, 'files' | 'repository'>): ComparedFiles {
  return {
    async *list(signal) {
      for await (const { path, kind, bytes } of visible({ files, repository }, '', null, signal)) {
        const { isCode, language } = fileKind(path)
        if (kind === 'file' && isCode && language !== null && bytes !== null) yield { path, language, bytes }
      }
    },
    async read(path) {
      try {
        const { bytes, sha256 } = await files.read(path, FILE_BYTES_MAX)
        return { text: decodeText(path, bytes), sha256 }
      } catch (error) {
        if (error instanceof AppError) return null
        throw error
      }
    },
  }
}
