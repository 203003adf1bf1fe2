import type { AgentSummary } from '#shared/schemas/agent.ts'
import { getAgentInfo, listAgents, updateAgent } from '#shared/tools/agents.ts'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorState, LoadingState } from '../../components/states.tsx'
import { signInMessage } from '../../state/sign-in-words.ts'
import { useChange } from '../../state/use-change.ts'
import { useTool } from '../../state/use-tool.ts'
import { AgentForm } from './agent-form.tsx'

interface EditAgentDialogProps {
  readonly agent: AgentSummary
  readonly onClose: () => void
}

/** The list has no system prompts, so the whole agent is asked for first. */
export function EditAgentDialog({ agent: { agent_id }, onClose }: EditAgentDialogProps) {
  const info = useTool(getAgentInfo, { agent_id, history_limit: 0 })
  const update = useChange(updateAgent, {
    done: updateAgent.toText,
    outdates: [listAgents, getAgentInfo],
    onDone: onClose,
  })
  const agent = info.data?.agent
  return (
    <Dialog title={`Edit ${agent_id}`} onClose={onClose}>
      {agent === undefined && info.error === null && <LoadingState>Loading the agent…</LoadingState>}
      {agent === undefined && info.error !== null && (
        <ErrorState error={info.error} onRetry={() => void info.refetch()} />
      )}
      {agent !== undefined && (
        <AgentForm
          start={{
            agent_id,
            name: agent.name,
            managed_file: agent.managed_file,
            system_prompt: agent.system_prompt,
            model: agent.model ?? '',
          }}
          isKnown
          submitLabel="Save"
          busy={update.isPending}
          problem={update.error === null ? undefined : signInMessage(update.error)}
          schema={updateAgent.input}
          onSubmit={({ model, ...values }) => update.mutate({ ...values, ...(model === '' ? {} : { model }) })}
          onCancel={onClose}
        />
      )}
    </Dialog>
  )
}
