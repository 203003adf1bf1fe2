import { useState } from 'react'
import { AppError } from '#shared/errors.ts'
import { getAgentFile } from '#shared/tools/agent-files.ts'
import { getAgentInfo } from '#shared/tools/agents.ts'
import { toolKey } from '../../api/queries.ts'
import { Panel } from '../../components/panel.tsx'
import { EmptyState, ErrorState, LoadingState } from '../../components/states.tsx'
import { StatusLight } from '../../components/status-light.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { toHash } from '../../state/route.ts'
import { useServices } from '../../state/services.ts'
import { useEvents } from '../../state/use-events.ts'
import { useSignedIn, useTool } from '../../state/use-tool.ts'
import { DeleteAgentDialog } from '../agents/delete-agent-dialog.tsx'
import { EditAgentDialog } from '../agents/edit-agent-dialog.tsx'
import { AgentFigures } from './agent-figures.tsx'
import { AgentFile } from './agent-file.tsx'
import { AgentJobs } from './agent-jobs.tsx'
import { AgentSettings } from './agent-settings.tsx'
import { Conversation } from './conversation.tsx'
import './agent.css'

/** Of its jobs and messages, the latest. */
const HISTORY_LIMIT = 40

const tabs = [
  { name: 'file', label: 'File' },
  { name: 'jobs', label: 'Jobs' },
  { name: 'figures', label: 'Figures' },
  { name: 'settings', label: 'Settings' },
] as const
type TabName = (typeof tabs)[number]['name']

/** One agent: its conversation, its file, its jobs, its figures and its settings. */
export default function AgentView({ agentId }: { readonly agentId: string }) {
  const { queries } = useServices()
  const isSignedIn = useSignedIn()
  const info = useTool(getAgentInfo, { agent_id: agentId, history_limit: HISTORY_LIMIT })
  const [tab, setTab] = useState<TabName>('file')
  const [asked, setAsked] = useState<'edit' | 'delete'>()
  const uri = `millwright://agents/${agentId}`
  useEvents([uri, `${uri}/file`], () => {
    for (const tool of [getAgentInfo, getAgentFile]) void queries.invalidateQueries({ queryKey: toolKey(tool) })
  })
  const back = (
    <a className="agent-back" href={toHash('agents')}>
      ← All agents
    </a>
  )
  // What was known of an agent that has been deleted meanwhile, elsewhere, is not worth showing: nothing there would work.
  const isGone = info.error instanceof AppError && info.error.code === 'not_found'
  if (info.data === undefined || isGone) {
    return (
      <>
        {back}
        <Panel title={agentId}>
          {!isSignedIn && <EmptyState title="Authenticate to see the agent" />}
          {isSignedIn && info.error === null && <LoadingState>Loading the agent…</LoadingState>}
          {info.error !== null && <ErrorState error={info.error} onRetry={() => void info.refetch()} />}
        </Panel>
      </>
    )
  }
  const { agent, jobs, usage_total } = info.data
  const isWorking = agent.state === 'working'
  return (
    <>
      <header className="agent-head">
        {back}
        <h2>{agent.agent_id}</h2>
        <span className="soft">{agent.name}</span>
        <StatusLight light={isWorking ? 'waiting' : 'off'}>{agent.state}</StatusLight>
      </header>
      <div className="agent-columns">
        <Panel title="Conversation">
          <Conversation info={info.data} />
        </Panel>
        <Panel title={agent.managed_file}>
          <Tabs label="About the agent" tabs={tabs} chosen={tab} onChoose={setTab}>
            {tab === 'file' && <AgentFile agentId={agent.agent_id} path={agent.managed_file} />}
            {tab === 'jobs' && <AgentJobs jobs={jobs} />}
            {tab === 'figures' && <AgentFigures total={usage_total} jobs={jobs} />}
            {tab === 'settings' && (
              <AgentSettings agent={agent} onEdit={() => setAsked('edit')} onDelete={() => setAsked('delete')} />
            )}
          </Tabs>
        </Panel>
      </div>
      {asked === 'edit' && <EditAgentDialog agent={agent} onClose={() => setAsked(undefined)} />}
      {asked === 'delete' && (
        <DeleteAgentDialog
          agent={agent}
          onClose={() => setAsked(undefined)}
          onDeleted={() => {
            location.hash = toHash('agents')
          }}
        />
      )}
    </>
  )
}
