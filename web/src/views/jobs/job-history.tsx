import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import * as v from 'valibot'
import { AgentId } from '#shared/ids.ts'
import { JobState } from '#shared/schemas/job.ts'
import { listJobs } from '#shared/tools/jobs.ts'
import { POLL_INTERVAL_MS, toolKey } from '../../api/queries.ts'
import { Button } from '../../components/button.tsx'
import { Panel } from '../../components/panel.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { StatusLight } from '../../components/status-light.tsx'
import { Table } from '../../components/table.tsx'
import { counted, toMoment, toTitle } from '../../components/words.ts'
import { toHash } from '../../state/route.ts'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { jobLights } from './job-lights.ts'
import { workTime } from './job-words.ts'

const PAGE = 50
/** More pages than this are not asked for again by themselves. */
const POLLED_PAGES_MAX = 2

/** Every job, the newest first, page by page. */
export function JobHistory() {
  const { tools } = useServices()
  const isSignedIn = useSignedIn()
  const [state, setState] = useState<JobState | null>(null)
  const [agent, setAgent] = useState('')
  const wanted = useDeferredValue(agent.trim())
  const isAgent = wanted === '' || v.is(AgentId, wanted)
  const pages = useInfiniteQuery({
    queryKey: [...toolKey(listJobs), 'pages', state, wanted],
    queryFn: ({ pageParam, signal }) =>
      tools.call(
        listJobs,
        {
          limit: PAGE,
          ...(state === null ? {} : { state }),
          ...(wanted === '' ? {} : { agent_id: wanted }),
          ...(pageParam === null ? {} : { cursor: pageParam }),
        },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    enabled: isSignedIn && isAgent,
    placeholderData: keepPreviousData,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) <= POLLED_PAGES_MAX ? POLL_INTERVAL_MS : false),
  })
  const jobs = isAgent ? (pages.data?.pages.flatMap((page) => page.jobs) ?? []) : []
  const isFiltered = state !== null || wanted !== ''
  return (
    <Panel
      title="History"
      actions={
        <Button onClick={() => void pages.refetch()} busy={pages.isFetching && !pages.isFetchingNextPage}>
          Refresh
        </Button>
      }
    >
      <div className="stack">
        <div className="row jobs-filters">
          <select
            aria-label="State"
            value={state ?? ''}
            onChange={({ target: { value } }) => setState(v.is(JobState, value) ? value : null)}
          >
            <option value="">All states</option>
            {JobState.options.map((each) => (
              <option key={each} value={each}>
                {toTitle(each)}
              </option>
            ))}
          </select>
          <input
            type="search"
            aria-label="Agent, by its whole id"
            placeholder="Agent, by its whole id"
            value={agent}
            onChange={(event) => setAgent(event.target.value)}
          />
          <p className="soft" role="status">
            {pages.data === undefined ? '' : `${counted(jobs.length, 'job')}${pages.hasNextPage ? ', and more' : ''}`}
          </p>
        </div>
        {!isAgent && <EmptyState title={`"${wanted}" is no id of an agent`} />}
        {isAgent && isSignedIn && pages.isPending && pages.error === null && <LoadingState>Loading jobs…</LoadingState>}
        {isAgent && pages.error !== null && jobs.length === 0 && (
          <ErrorState error={pages.error} onRetry={() => void pages.refetch()} />
        )}
        {isAgent && pages.data !== undefined && pages.error === null && jobs.length === 0 && (
          <EmptyState title={isFiltered ? 'No job matches' : 'There have been no jobs yet'} />
        )}
        {jobs.length > 0 && (
          <Table
            caption="Jobs, the newest first"
            rows={jobs}
            keyOf={({ job_id }) => job_id}
            columns={[
              {
                title: 'Job',
                cell: ({ job_id, tool, error }) => (
                  <span className="job-name">
                    <a href={toHash('jobs', job_id)}>{toTitle(tool)}</a>
                    {error !== null && <span className="job-error">{error.message}</span>}
                  </span>
                ),
              },
              {
                title: 'Agent',
                isWideOnly: true,
                cell: ({ agent_id }) => (agent_id === null ? '–' : <a href={toHash('agents', agent_id)}>{agent_id}</a>),
              },
              { title: 'State', cell: (job) => <StatusLight light={jobLights[job.state]}>{job.state}</StatusLight> },
              { title: 'Began', isWideOnly: true, cell: ({ created_at }) => toMoment(created_at) },
              {
                title: 'Took',
                isNumber: true,
                isWideOnly: true,
                cell: (job) => workTime(job, pages.dataUpdatedAt) ?? '–',
              },
            ]}
          />
        )}
        {pages.hasNextPage && (
          <p className="jobs-more">
            <Button busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
              Show older ones
            </Button>
          </p>
        )}
      </div>
    </Panel>
  )
}
