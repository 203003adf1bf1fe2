import { Panel } from '../../components/panel.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { useSignedIn } from '../../state/use-tool.ts'
import { ChartsPanel } from './charts-panel.tsx'
import { ConnectPanel } from './connect-panel.tsx'
import { LimitsPanel } from './limits-panel.tsx'
import { ServerPanel } from './server-panel.tsx'
import { SessionsPanel } from './sessions-panel.tsx'
import { useMachine } from './use-machine.ts'
import { WorkerPanel } from './worker-panel.tsx'
import './machine.css'

/** What the work is done with: server, workers, models, memory and speed; and how programs and people come in. */
export default function MachineView() {
  const isSignedIn = useSignedIn()
  const { info, samples, error, isPending, retry } = useMachine()
  if (!isSignedIn) {
    return (
      <Panel title="Machine">
        <EmptyState title="Authenticate to see workers and models" />
      </Panel>
    )
  }
  return (
    <>
      {info === undefined && (
        <Panel title="Machine">
          {error !== null && <ErrorState error={error} onRetry={retry} />}
          {isPending && error === null && <LoadingState>Asking the server…</LoadingState>}
        </Panel>
      )}
      {info !== undefined && (
        <>
          <ServerPanel info={info} />
          {info.workers.length === 0 && (
            <Panel title="Worker">
              <EmptyState title="No worker is connected">
                <p>
                  Start one with <code>npm run worker</code>, or the whole server with <code>npm start</code>. Agents
                  and jobs are kept; files, git and models wait for it.
                </p>
              </EmptyState>
            </Panel>
          )}
          {info.workers.map((worker) => (
            <WorkerPanel key={worker.worker_id} worker={worker} />
          ))}
        </>
      )}
      <ChartsPanel samples={samples} />
      <ConnectPanel />
      <SessionsPanel />
      {info !== undefined && <LimitsPanel limits={info.limits} />}
    </>
  )
}
