import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'
import type { AgentSummary } from '#shared/schemas/agent.ts'
import { Button } from '../../components/button.tsx'
import { StatusLight } from '../../components/status-light.tsx'
import { toHash } from '../../state/route.ts'

interface AgentListProps {
  readonly agents: readonly AgentSummary[]
  readonly total: number
  readonly hasMore: boolean
  /** The end of what is there comes near. */
  readonly onMore: () => void
  readonly onEdit: (agent: AgentSummary) => void
  readonly onDelete: (agent: AgentSummary) => void
}

const ROW_PIXELS = 64
/** Rows beyond what is seen that are asked for ahead. */
const AHEAD_ROWS = 60

/** However many agents there are, only the rows that are seen exist. */
export function AgentList({ agents, total, hasMore, onMore, onEdit, onDelete }: AgentListProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: agents.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PIXELS,
    getItemKey: (index) => agents[index]?.agent_id ?? index,
    overscan: 8,
  })
  const shown = rows.getVirtualItems()
  const last = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (hasMore && last > agents.length - AHEAD_ROWS) onMore()
  }, [hasMore, last, agents.length, onMore])
  return (
    <section
      ref={scroller}
      className="agent-scroller"
      aria-label="Agents"
      style={{ maxHeight: rows.getTotalSize() + 1 }}
    >
      <ul className="agent-list" style={{ height: rows.getTotalSize() }}>
        {shown.map(({ key, index, start }) => {
          const agent = agents[index]
          if (agent === undefined) return null
          return (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              className="agent-row"
              aria-setsize={total}
              aria-posinset={index + 1}
              style={{ transform: `translateY(${start}px)` }}
            >
              <span className="agent-name">
                <a href={toHash('agents', agent.agent_id)}>
                  <strong>{agent.agent_id}</strong>
                </a>
                <span className="soft">{agent.name}</span>
              </span>
              <code className="agent-file">{agent.managed_file}</code>
              <span className="agent-state">
                <StatusLight light={agent.state === 'working' ? 'waiting' : 'off'}>{agent.state}</StatusLight>
              </span>
              <span className="agent-actions">
                <Button look="quiet" aria-label={`Edit ${agent.agent_id}`} onClick={() => onEdit(agent)}>
                  Edit
                </Button>
                <Button look="quiet" aria-label={`Delete ${agent.agent_id}`} onClick={() => onDelete(agent)}>
                  Delete
                </Button>
              </span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
