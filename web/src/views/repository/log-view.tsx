import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { gitLog } from '#shared/tools/git.ts'
import { toolKey } from '../../api/queries.ts'
import { Button } from '../../components/button.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { DiffPages } from './diff-pages.tsx'

interface LogViewProps {
  /** Only commits that touched this file; empty for all. */
  readonly path: string
}

const PAGE = 30

/** Commits, newest first; each opens to show what it changed. */
export function LogView({ path }: LogViewProps) {
  const { tools } = useServices()
  const isSignedIn = useSignedIn()
  const [isOfFile, setIsOfFile] = useState(false)
  const [opened, setOpened] = useState<string>()
  const wanted = isOfFile && path !== '' ? { path } : {}
  const pages = useInfiniteQuery({
    queryKey: [...toolKey(gitLog), 'pages', wanted],
    queryFn: ({ pageParam, signal }) =>
      tools.call(gitLog, { ...wanted, limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    enabled: isSignedIn,
  })
  if (pages.data === undefined) {
    return pages.error === null ? (
      <LoadingState>Loading the log…</LoadingState>
    ) : (
      <ErrorState error={pages.error} onRetry={() => void pages.refetch()} />
    )
  }
  const commits = pages.data.pages.flatMap((page) => page.commits)
  return (
    <div className="stack">
      {path !== '' && (
        <label className="changes-all">
          <input
            type="checkbox"
            className="tick"
            checked={isOfFile}
            onChange={({ target }) => setIsOfFile(target.checked)}
          />{' '}
          Only of <code>{path}</code>
        </label>
      )}
      {commits.length === 0 && <EmptyState title={isOfFile ? 'No commit has this file' : 'No commits yet'} />}
      <ol className="plain-list log">
        {commits.map(({ commit, author, date, subject, body }) => (
          <li key={commit}>
            <button
              type="button"
              aria-expanded={commit === opened}
              onClick={() => setOpened(commit === opened ? undefined : commit)}
            >
              <span className="log-subject">{subject}</span>
              <span className="log-facts">
                <code>{commit.slice(0, 10)}</code>
                <span>{author.replace(/ <.*>$/, '')}</span>
                <time dateTime={date}>
                  {new Date(date).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })}
                </time>
              </span>
            </button>
            {commit === opened && (
              <div className="stack log-diff">
                {body !== '' && <p className="log-body">{body}</p>}
                <DiffPages
                  asked={{ revision: `${commit}^!`, ...wanted }}
                  label={`What ${commit.slice(0, 10)} changed`}
                  nothing="It changed nothing that is shown"
                />
              </div>
            )}
          </li>
        ))}
      </ol>
      {pages.error !== null && <ErrorState error={pages.error} onRetry={() => void pages.fetchNextPage()} />}
      {pages.hasNextPage && (
        <Button busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Older commits
        </Button>
      )}
    </div>
  )
}
