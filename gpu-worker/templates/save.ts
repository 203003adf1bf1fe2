import { AppError } from '#shared/errors.ts'
import { type LandPorts, readCurrent } from '../agent/land.ts'
import { type LandingPart, landAll, withLocks } from '../agent/land-all.ts'
import type { ResolvedFile } from '../ports/file-tree.ts'
import type { KeyedLocks } from '../workspace/locks.ts'
import { type Template, toFolder } from './template.ts'

export interface SaveRequest {
  readonly template: Template
  /** Where the repository keeps its templates. */
  readonly folder: string
  readonly requireMay: (file: ResolvedFile) => Promise<void>
  /** The job that ends with this, and what it will answer then. */
  readonly job: { readonly id: string; readonly outcome: (paths: string[]) => Record<string, unknown> } | null
}

/**
 * Writes a template's folder, all of it or nothing, and never over anything: `already_exists` where a file of the folder is
 * there and says something else. `template.json` comes last, so that a folder that was begun is no template yet. Returns the
 * paths.
 */
export async function saveTemplate(
  { template, folder, requireMay, job }: SaveRequest,
  ports: LandPorts & { readonly edits: KeyedLocks },
  signal: AbortSignal,
): Promise<string[]> {
  const texts = toFolder(template)
  const files: ResolvedFile[] = []
  for (const [name] of texts) {
    const file = await ports.files.resolve(`${folder}/${template.name}/${name}`, 'write')
    await requireMay(file)
    files.push(file)
  }
  const work = async (): Promise<string[]> => {
    const parts: LandingPart[] = []
    for (const [index, [, text]] of texts.entries()) {
      const file = files[index] as ResolvedFile
      const before = await readCurrent(ports.files, file.path)
      if (before.text !== null && before.text !== text) throw isThere(template.name, file.path)
      parts.push({ file, text, before })
    }
    const paths = files.map(({ path }) => path)
    const ending = job === null ? null : { id: job.id, outcome: () => job.outcome(paths) }
    await landAll({ parts, dryRun: false, job: ending }, ports, signal)
    return paths
  }
  return withLocks(files, ports.edits, work, signal)
}

const isThere = (name: string, path: string): AppError =>
  new AppError('already_exists', `Cannot write template "${name}": "${path}" is there already`, {
    hint: 'Give the template another name, or change its files with update_file',
  })
