import { useDeferredValue, useState } from 'react'
import { listAgents } from '#shared/tools/agents.ts'
import { Button } from '../../components/button.tsx'
import { Panel } from '../../components/panel.tsx'
import { ScrollRegion } from '../../components/scroll-region.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { toHash } from '../../state/route.ts'
import { useEvents } from '../../state/use-events.ts'
import { useSignedIn, useTool } from '../../state/use-tool.ts'

interface RegistryPanelProps {
  /** Takes an agent into the form; undefined where the tool has no place for one. */
  readonly onTake: ((agentId: string) => void) | undefined
}

const SHOWN_MAX = 50

/** The agents beside the tools that work on them. */
export function RegistryPanel({ onTake }: RegistryPanelProps) {
  const isSignedIn = useSignedIn()
  const [query, setQuery] = useState('')
  const wanted = useDeferredValue(query.trim())
  const list = useTool(listAgents, { limit: SHOWN_MAX, ...(wanted === '' ? {} : { query: wanted }) })
  useEvents([], () => void list.refetch())
  const agents = list.data?.agents ?? []
  const total = list.data?.total ?? 0
  return (
    <Panel
      title="Agent Registry"
      actions={
        <Button busy={list.isFetching} onClick={() => void list.refetch()}>
          Refresh
        </Button>
      }
    >
      <div className="stack">
        <input
          type="search"
          aria-label="Search agents"
          placeholder="Search by id, name or file"
          value={query}
          onChange={({ target }) => setQuery(target.value)}
        />
        {list.error !== null && agents.length === 0 && (
          <ErrorState error={list.error} onRetry={() => void list.refetch()} />
        )}
        {list.isPending && list.error === null && isSignedIn && <LoadingState>Loading agents…</LoadingState>}
        {list.data !== undefined && agents.length === 0 && (
          <EmptyState title={wanted === '' ? 'There are no agents yet' : 'No agent matches'} />
        )}
        {agents.length > 0 && (
          <ScrollRegion className="registry-scroller" label="Agents">
            <ul className="plain-list registry">
              {agents.map(({ agent_id, name, managed_file, state }) => (
                <li key={agent_id}>
                  <span className="registry-agent">
                    <strong>{agent_id}</strong>
                    <span className="soft">
                      {name}
                      {state === 'working' ? ' · working' : ''}
                    </span>
                    <code>{managed_file}</code>
                  </span>
                  {onTake !== undefined && (
                    <Button look="quiet" aria-label={`Use ${agent_id} in the form`} onClick={() => onTake(agent_id)}>
                      Use
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          </ScrollRegion>
        )}
        {total > agents.length && (
          <p className="soft tool-note">
            {agents.length} of {total.toLocaleString('en')}. <a href={toHash('agents')}>All agents</a>
          </p>
        )}
      </div>
    </Panel>
  )
}
