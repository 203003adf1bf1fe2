import { useInfiniteQuery } from '@tanstack/react-query'
import { gitDiff } from '#shared/tools/git.ts'
import { toolKey } from '../../api/queries.ts'
import type { ToolArguments } from '../../api/tools.ts'
import { Button } from '../../components/button.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { UnifiedDiff } from '../../components/unified-diff.tsx'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'

interface DiffPagesProps {
  readonly asked: Pick<ToolArguments<typeof gitDiff>, 'path' | 'revision'>
  readonly label: string
  /** What is said where nothing differs. */
  readonly nothing: string
}

/** A diff as the repository has it, of which a long one comes in parts. */
export function DiffPages({ asked, label, nothing }: DiffPagesProps) {
  const { tools } = useServices()
  const isSignedIn = useSignedIn()
  const pages = useInfiniteQuery({
    queryKey: [...toolKey(gitDiff), 'pages', asked],
    queryFn: ({ pageParam, signal }) =>
      tools.call(gitDiff, pageParam === null ? asked : { ...asked, cursor: pageParam }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    enabled: isSignedIn,
  })
  if (pages.data === undefined) {
    return pages.error === null ? (
      <LoadingState>Loading the diff…</LoadingState>
    ) : (
      <ErrorState error={pages.error} onRetry={() => void pages.refetch()} />
    )
  }
  const [first] = pages.data.pages
  const last = pages.data.pages.at(-1)
  // Pages are cut anywhere and are the diff only when joined.
  const diff = pages.data.pages.map((page) => page.diff).join('')
  if (diff === '') return <EmptyState title={nothing} />
  return (
    <div className="stack">
      {first !== undefined && first.files_changed > 1 && (
        <p className="soft repository-note">
          {first.files_changed} files, {first.insertions} lines added, {first.deletions} removed
        </p>
      )}
      <UnifiedDiff diff={diff} label={label} />
      {pages.error !== null && <ErrorState error={pages.error} onRetry={() => void pages.refetch()} />}
      {pages.hasNextPage && (
        <Button busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Show more of it
        </Button>
      )}
      {last?.diff_truncated && last.next_cursor === null && (
        <p className="soft repository-note">Too long to be shown whole: choose one file at a time</p>
      )}
    </div>
  )
}
