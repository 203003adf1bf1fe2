import type { Agent } from '#shared/schemas/agent.ts'
import { Button } from '../../components/button.tsx'

interface AgentSettingsProps {
  readonly agent: Agent
  readonly onEdit: () => void
  readonly onDelete: () => void
}

/** What the agent is set to, and the ways to change that. */
export function AgentSettings({ agent, onEdit, onDelete }: AgentSettingsProps) {
  return (
    <>
      <dl className="settings">
        <dt>Name</dt>
        <dd>{agent.name}</dd>
        <dt>File</dt>
        <dd>
          <code>{agent.managed_file}</code>
        </dd>
        <dt>Model</dt>
        <dd>{agent.model ?? "The worker's default"}</dd>
        <dt>Description</dt>
        <dd>{agent.description ?? '–'}</dd>
        <dt>System prompt</dt>
        <dd className="settings-prompt">{agent.system_prompt === '' ? '–' : agent.system_prompt}</dd>
        <dt>Created</dt>
        <dd>{new Date(agent.created_at).toLocaleString()}</dd>
      </dl>
      <div className="row">
        <Button onClick={onEdit}>Edit</Button>
        <Button look="danger" onClick={onDelete}>
          Delete
        </Button>
      </div>
    </>
  )
}
