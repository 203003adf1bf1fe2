import { useInfiniteQuery } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import { readFile } from '#shared/tools/files.ts'
import { toolKey } from '../../api/queries.ts'
import { Button } from '../../components/button.tsx'
import { ErrorState, LoadingState } from '../../components/states.tsx'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'

const CodeView = lazy(() => import('../../components/code-view/code-view.tsx'))

/** The text of a file with its lines numbered; what is no text, or may not be read, says why. */
export function FileView({ path }: { readonly path: string }) {
  const { tools } = useServices()
  const isSignedIn = useSignedIn()
  const parts = useInfiniteQuery({
    queryKey: [...toolKey(readFile), 'parts', path],
    queryFn: ({ pageParam, signal }) => tools.call(readFile, { path, offset: pageParam }, { signal }),
    initialPageParam: 0,
    getNextPageParam: (part) => part.next_offset,
    enabled: isSignedIn,
  })
  if (parts.data === undefined) {
    return parts.error === null ? (
      <LoadingState>Loading the file…</LoadingState>
    ) : (
      <ErrorState error={parts.error} onRetry={() => void parts.refetch()} />
    )
  }
  const read = parts.data.pages
  const total = read[0]?.line_count ?? 0
  const shown = read.map((part) => part.content.replace(/\n$/, '')).join('\n')
  const count = total === 0 ? 0 : shown.split('\n').length
  return (
    <div className="stack">
      <p className="soft repository-note">
        {total.toLocaleString('en')} {total === 1 ? 'line' : 'lines'}
        {parts.hasNextPage ? `, of which ${count.toLocaleString('en')} are shown` : ''}
      </p>
      {total === 0 ? (
        <p className="soft repository-note">The file is empty</p>
      ) : (
        <Suspense fallback={<LoadingState>Loading the file…</LoadingState>}>
          <CodeView path={path} text={shown} />
        </Suspense>
      )}
      {parts.error !== null && <ErrorState error={parts.error} onRetry={() => void parts.refetch()} />}
      {parts.hasNextPage && (
        <Button busy={parts.isFetchingNextPage} onClick={() => void parts.fetchNextPage()}>
          Show more lines
        </Button>
      )}
    </div>
  )
}
