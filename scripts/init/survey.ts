import { fileKind } from '#gpu-worker/gates/file-kind.ts'
import { countLines, decodeText } from '#gpu-worker/workspace/text.ts'
import { AppError } from '#shared/errors.ts'
import { FILE_BYTES_MAX } from '#shared/protocol/limits.ts'
import type { OpenedRepository } from '../opened-repository.ts'

/** What `millwright.json` is to be made from. */
export interface Survey {
  /** Files that git does not ignore, in order. */
  readonly files: readonly string[]
  /** Newline characters of each file of code. */
  readonly lineCounts: ReadonlyMap<string, number>
  /** Texts of the files in which tools are configured. */
  readonly manifests: ReadonlyMap<string, string>
}

const manifests: ReadonlySet<string> = new Set(['pyproject.toml', 'setup.cfg', 'package.json', 'tox.ini'])

/** Looks at every file. What cannot be read, or is no text, has no lines. Rejects with AppError. */
export async function surveyRepository({ files, list }: OpenedRepository, signal: AbortSignal): Promise<Survey> {
  const paths: string[] = []
  const lineCounts = new Map<string, number>()
  const texts = new Map<string, string>()
  for await (const { path, kind } of list(signal)) {
    if (kind !== 'file') continue
    paths.push(path)
    const isManifest = manifests.has(path)
    if (!isManifest && !fileKind(path).isCode) continue
    try {
      const text = decodeText(path, (await files.read(path, FILE_BYTES_MAX)).bytes)
      if (isManifest) texts.set(path, text)
      else lineCounts.set(path, countLines(text))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
    }
  }
  return { files: paths, lineCounts, manifests: texts }
}
