import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useDeferredValue, useState } from 'react'
import { PAGE_MAX } from '#shared/protocol/limits.ts'
import type { AgentSummary } from '#shared/schemas/agent.ts'
import { listAgents } from '#shared/tools/agents.ts'
import { POLL_INTERVAL_MS, toolKey } from '../../api/queries.ts'
import { Button } from '../../components/button.tsx'
import { Panel } from '../../components/panel.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { useServices } from '../../state/services.ts'
import { useEvents } from '../../state/use-events.ts'
import { useSignedIn } from '../../state/use-tool.ts'
import { AgentList } from './agent-list.tsx'
import { CreateAgentDialog } from './create-agent-dialog.tsx'
import { DeleteAgentDialog } from './delete-agent-dialog.tsx'
import { EditAgentDialog } from './edit-agent-dialog.tsx'
import './agents.css'

type Asked = { readonly what: 'create' } | { readonly what: 'edit' | 'delete'; readonly agent: AgentSummary }

/** More pages than this are not asked for again by themselves: who has scrolled that far presses "Refresh". */
const POLLED_PAGES_MAX = 3

export default function AgentsView() {
  const { tools, queries } = useServices()
  const isSignedIn = useSignedIn()
  const [query, setQuery] = useState('')
  const [asked, setAsked] = useState<Asked>()
  const wanted = useDeferredValue(query.trim())
  const pages = useInfiniteQuery({
    queryKey: [...toolKey(listAgents), 'pages', wanted],
    queryFn: ({ pageParam, signal }) =>
      tools.call(
        listAgents,
        {
          limit: PAGE_MAX,
          ...(wanted === '' ? {} : { query: wanted }),
          ...(pageParam === null ? {} : { cursor: pageParam }),
        },
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    enabled: isSignedIn,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) <= POLLED_PAGES_MAX ? POLL_INTERVAL_MS : false),
  })
  useEvents([], () => void queries.invalidateQueries({ queryKey: toolKey(listAgents) }))

  const agents = pages.data?.pages.flatMap((page) => page.agents) ?? []
  const total = pages.data?.pages[0]?.total ?? 0
  const refresh = () => void queries.resetQueries({ queryKey: toolKey(listAgents) })
  const close = () => setAsked(undefined)

  return (
    <Panel
      title="Agent Registry"
      actions={
        <>
          <Button onClick={refresh} busy={pages.isFetching && !pages.isFetchingNextPage}>
            Refresh
          </Button>
          <Button look="primary" onClick={() => setAsked({ what: 'create' })}>
            Create agent
          </Button>
        </>
      }
    >
      <div className="agents-search">
        <input
          type="search"
          aria-label="Search agents by id, name or file"
          placeholder="Search by id, name or file"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
        <p className="soft" role="status">
          {pages.data === undefined ? '' : `${total.toLocaleString('en')} ${total === 1 ? 'agent' : 'agents'}`}
        </p>
      </div>
      {pages.error !== null && agents.length === 0 && (
        <ErrorState error={pages.error} onRetry={() => void pages.refetch()} />
      )}
      {pages.isPending && pages.error === null && isSignedIn && <LoadingState>Loading agents…</LoadingState>}
      {!isSignedIn && <EmptyState title="Authenticate to see the agents" />}
      {pages.data !== undefined && agents.length === 0 && (
        <EmptyState title={wanted === '' ? 'There are no agents yet' : 'No agent matches'}>
          <p>
            {wanted === '' ? 'An agent owns one file of the repository and writes it for you.' : 'Search for less.'}
          </p>
        </EmptyState>
      )}
      {agents.length > 0 && (
        <AgentList
          agents={agents}
          total={total}
          hasMore={pages.hasNextPage}
          onMore={() => {
            if (!pages.isFetching) void pages.fetchNextPage()
          }}
          onEdit={(agent) => setAsked({ what: 'edit', agent })}
          onDelete={(agent) => setAsked({ what: 'delete', agent })}
        />
      )}
      {asked?.what === 'create' && <CreateAgentDialog onClose={close} />}
      {asked?.what === 'edit' && <EditAgentDialog agent={asked.agent} onClose={close} />}
      {asked?.what === 'delete' && <DeleteAgentDialog agent={asked.agent} onClose={close} />}
    </Panel>
  )
}
