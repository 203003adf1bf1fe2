import { createAgent, listAgents } from '#shared/tools/agents.ts'
import { Dialog } from '../../components/dialog.tsx'
import { signInMessage } from '../../state/sign-in-words.ts'
import { useChange } from '../../state/use-change.ts'
import { AgentForm } from './agent-form.tsx'

const empty = { agent_id: '', name: '', managed_file: '', system_prompt: '', model: '' }

export function CreateAgentDialog({ onClose }: { readonly onClose: () => void }) {
  const create = useChange(createAgent, { done: createAgent.toText, outdates: [listAgents], onDone: onClose })
  return (
    <Dialog title="Create agent" onClose={onClose}>
      <AgentForm
        start={empty}
        isKnown={false}
        submitLabel="Create agent"
        busy={create.isPending}
        problem={create.error === null ? undefined : signInMessage(create.error)}
        schema={createAgent.input}
        onSubmit={({ model, ...values }) => create.mutate({ ...values, ...(model === '' ? {} : { model }) })}
        onCancel={onClose}
      />
    </Dialog>
  )
}
