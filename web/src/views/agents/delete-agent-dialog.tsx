import type { AgentSummary } from '#shared/schemas/agent.ts'
import { deleteAgent, listAgents } from '#shared/tools/agents.ts'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorState } from '../../components/states.tsx'
import { useChange } from '../../state/use-change.ts'

interface DeleteAgentDialogProps {
  readonly agent: AgentSummary
  readonly onClose: () => void
  /** In place of `onClose` once the agent is gone. */
  readonly onDeleted?: () => void
}

export function DeleteAgentDialog({
  agent: { agent_id, managed_file },
  onClose,
  onDeleted = onClose,
}: DeleteAgentDialogProps) {
  const remove = useChange(deleteAgent, { done: deleteAgent.toText, outdates: [listAgents], onDone: onDeleted })
  return (
    <Dialog title={`Delete ${agent_id}?`} onClose={onClose}>
      <p>
        The agent and its conversation go, and its jobs are cancelled. Its file <code>{managed_file}</code> stays as it
        is.
      </p>
      {remove.error !== null && <ErrorState error={remove.error} />}
      <div className="dialog-buttons">
        <Button onClick={onClose}>Keep it</Button>
        <Button look="danger" busy={remove.isPending} onClick={() => remove.mutate({ agent_id })}>
          Delete
        </Button>
      </div>
    </Dialog>
  )
}
