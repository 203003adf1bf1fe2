import type * as v from 'valibot'
import { AppError } from '#shared/errors.ts'
import type { CompletePath } from '#shared/protocol/worker-calls.ts'
import type { FileTree } from '../ports/file-tree.ts'
import { type FileToolPorts, visible } from './files.ts'

/** The last code unit: what a name begins with comes before that beginning with this behind it. */
const LAST = '\uffff'

/**
 * Files whose paths begin with `start`, in order. Nothing that git ignores, nothing that may not be read; a start that is
 * no path, or leads nowhere, has no completions.
 */
export async function completePath(
  ports: Pick<FileToolPorts, 'files' | 'repository'>,
  { start, limit }: v.InferOutput<typeof CompletePath.input>,
  signal: AbortSignal,
): Promise<v.InferOutput<typeof CompletePath.output>> {
  const typed = start.normalize('NFC')
  const folder = typed.slice(0, Math.max(0, typed.lastIndexOf('/')))
  const paths: string[] = []
  try {
    for await (const { path, kind } of visible(ports, folder, justBefore(typed), signal)) {
      // In the order of a walk, what begins with the same text stands together.
      if (!path.startsWith(typed)) {
        if (inWalkOrder(path) < inWalkOrder(typed)) continue
        break
      }
      if (kind !== 'file' || !(await mayRead(ports.files, path))) continue
      if (paths.length === limit) return { paths, more: true }
      paths.push(path)
    }
  } catch (error) {
    if (!(error instanceof AppError) || !nowhere.has(error.code)) throw error
  }
  return { paths, more: false }
}

const nowhere: ReadonlySet<string> = new Set(['invalid_input', 'not_found', 'outside_repository', 'protected_path'])

/** A walk goes through a folder before it goes on to names that only begin like the folder's. */
const inWalkOrder = (path: string): string => path.replaceAll('/', '\0')

/** A path that comes before everything that begins with `start`, and behind nearly all that comes before it. */
function justBefore(start: string): string | null {
  const code = start.charCodeAt(start.length - 1)
  if (start === '' || start.endsWith('/') || code === 0) return null
  return `${start.slice(0, -1)}${String.fromCharCode(code - 1)}${LAST}`
}

async function mayRead(files: FileTree, path: string): Promise<boolean> {
  try {
    await files.resolve(path, 'read')
    return true
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}
