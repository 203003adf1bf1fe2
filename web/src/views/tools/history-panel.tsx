import { Panel } from '../../components/panel.tsx'
import { EmptyState } from '../../components/states.tsx'
import { StatusLight } from '../../components/status-light.tsx'
import { toDuration } from './answer-parts.ts'
import { stateOfCall } from './call-state.ts'
import type { CallRecord } from './tool-desk.ts'

interface HistoryPanelProps {
  readonly calls: readonly CallRecord[]
  readonly shown: number | undefined
  readonly onShow: (call: CallRecord) => void
}

/** The calls of this session, newest first; each can be looked at again. */
export function HistoryPanel({ calls, shown, onShow }: HistoryPanelProps) {
  return (
    <Panel title="History">
      {calls.length === 0 && <EmptyState title="No calls in this session" />}
      {calls.length > 0 && (
        <ol className="plain-list history">
          {calls.map((call) => {
            const { light, words } = stateOfCall(call)
            return (
              <li key={call.id}>
                <button type="button" aria-current={call.id === shown} onClick={() => onShow(call)}>
                  <code>{call.tool}</code>
                  <span className="history-facts">
                    <StatusLight light={light}>{call.error?.code ?? words}</StatusLight>
                    <time dateTime={new Date(call.startedMs).toISOString()}>
                      {new Date(call.startedMs).toLocaleTimeString([], {
                        hour: '2-digit',
                        minute: '2-digit',
                        second: '2-digit',
                      })}
                    </time>
                    {call.endedMs !== null && <span>{toDuration(call.endedMs - call.startedMs)}</span>}
                  </span>
                </button>
              </li>
            )
          })}
        </ol>
      )}
    </Panel>
  )
}
