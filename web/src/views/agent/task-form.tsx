import { type FormEvent, type KeyboardEvent, useId, useState } from 'react'
import { CHAT_MESSAGE_CHARACTERS_MAX } from '#shared/protocol/limits.ts'
import { Button } from '../../components/button.tsx'
import { signInMessage } from '../../state/sign-in-words.ts'
import { ContextPicker } from './context-picker.tsx'
import { useSubmitTask } from './submit-task.ts'
import '../../components/segments.css'

const modes = {
  edit: { label: 'Edit', hint: 'Checks the new file and writes it.' },
  propose: { label: 'Propose', hint: 'Shows the change; you accept or reject it.' },
  ask: { label: 'Ask', hint: 'Answers in words; the file stays as it is.' },
} as const
type Mode = keyof typeof modes

/** Gives the agent a task. What was typed stays until the server has it. */
export function TaskForm({ agentId }: { readonly agentId: string }) {
  const id = useId()
  const [message, setMessage] = useState('')
  const [mode, setMode] = useState<Mode>('edit')
  const [files, setFiles] = useState<readonly string[]>([])
  const submit = useSubmitTask(() => setMessage(''))
  const send = (event?: FormEvent) => {
    event?.preventDefault()
    if (message.trim() === '' || submit.isPending) return
    const context = Object.fromEntries(files.map((path, index) => [`file_${index + 1}`, path]))
    submit.mutate({ agent_id: agentId, message, mode, ...(files.length === 0 ? {} : { context }) })
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send()
  }
  return (
    <form className="task-form" onSubmit={send}>
      <label htmlFor={id} className="visually-hidden">
        Task for {agentId}
      </label>
      <textarea
        id={id}
        value={message}
        maxLength={CHAT_MESSAGE_CHARACTERS_MAX}
        placeholder="What should the agent do?"
        onChange={(event) => setMessage(event.target.value)}
        onKeyDown={onKey}
      />
      <ContextPicker files={files} onChange={setFiles} />
      <div className="row task-form-foot">
        <fieldset className="segments">
          <legend className="visually-hidden">What to do with the answer</legend>
          {Object.entries(modes).map(([name, { label }]) => (
            <label key={name}>
              <input
                type="radio"
                className="visually-hidden"
                name={`${id}-mode`}
                checked={mode === name}
                onChange={() => setMode(name as Mode)}
              />
              {label}
            </label>
          ))}
        </fieldset>
        <span className="soft">{modes[mode].hint}</span>
        <Button type="submit" look="primary" busy={submit.isPending} disabled={message.trim() === ''}>
          Send
        </Button>
      </div>
      {submit.error !== null && (
        <p className="field-error" role="alert">
          {signInMessage(submit.error)}
        </p>
      )}
    </form>
  )
}
