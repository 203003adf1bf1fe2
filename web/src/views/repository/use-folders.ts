import { useQueries } from '@tanstack/react-query'
import { LIST_FILES_PAGE_MAX } from '#shared/protocol/limits.ts'
import { listFiles } from '#shared/tools/files.ts'
import { POLL_INTERVAL_MS } from '../../api/queries.ts'
import type { Tools } from '../../api/tools.ts'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { type FolderContent, globOfFolder, isIn, ROOT, type TreeEntry } from './tree-rows.ts'

/** A folder with more files than this many answers hold is shown in part. */
const PAGES_MAX = 10

/** What is in the repository's top folder and in those that are open; each is asked for when it is first opened. */
export function useFolders(open: ReadonlySet<string>): {
  readonly folders: ReadonlyMap<string, FolderContent>
  /** Why nothing at all can be shown. */
  readonly error: unknown
  readonly retry: () => void
} {
  const { tools } = useServices()
  const isSignedIn = useSignedIn()
  const wanted = [ROOT, ...open]
  const queries = useQueries({
    queries: wanted.map((folder) => ({
      queryKey: [listFiles.name, 'folder', folder],
      queryFn: ({ signal }: { signal: AbortSignal }) => readFolder(tools, folder, signal),
      enabled: isSignedIn,
      refetchInterval: POLL_INTERVAL_MS,
    })),
  })
  const folders = new Map(
    wanted.map((folder, index): [string, FolderContent] => {
      const query = queries[index]
      const problem = query?.data === undefined && query?.error ? query.error.message : null
      const { entries = [], isWhole = true } = query?.data ?? {}
      return [folder, { entries, isWhole, problem, isLoading: query?.data === undefined && problem === null }]
    }),
  )
  const [top] = queries
  return { folders, error: top?.data === undefined ? (top?.error ?? null) : null, retry: () => void top?.refetch() }
}

async function readFolder(tools: Tools, folder: string, signal: AbortSignal) {
  const entries: TreeEntry[] = []
  let cursor: string | null = null
  for (let page = 0; page < PAGES_MAX; page++) {
    const args = {
      glob: globOfFolder(folder),
      limit: LIST_FILES_PAGE_MAX,
      ...(folder === ROOT ? {} : { path: folder }),
    }
    const answer: Awaited<ReturnType<typeof tools.call<typeof listFiles>>> = await tools.call(
      listFiles,
      cursor === null ? args : { ...args, cursor },
      { signal },
    )
    entries.push(...answer.entries.filter(({ path }) => isIn(folder, path)))
    cursor = answer.next_cursor
    if (cursor === null) return { entries, isWhole: true }
  }
  return { entries, isWhole: false }
}
