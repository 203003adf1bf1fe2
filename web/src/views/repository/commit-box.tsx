import { type FormEvent, useId, useState } from 'react'
import { listAgents } from '#shared/tools/agents.ts'
import { listFiles } from '#shared/tools/files.ts'
import { gitCommit, gitDiff, gitLog, gitStatus } from '#shared/tools/git.ts'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { ErrorState } from '../../components/states.tsx'
import { useChange } from '../../state/use-change.ts'
import { useTool } from '../../state/use-tool.ts'

interface CommitBoxProps {
  readonly paths: readonly string[]
  /** Whether that is all that has changed. */
  readonly isWhole: boolean
}

const AGENTS_MAX = 200

/** Commits the chosen files, as the person or in the name of an agent that owns the one file. */
export function CommitBox({ paths, isWhole }: CommitBoxProps) {
  const id = useId()
  const [message, setMessage] = useState('')
  const [who, setWho] = useState('')
  const [isMissing, setIsMissing] = useState(false)
  const commit = useChange(gitCommit, {
    done: gitCommit.toText,
    outdates: [gitStatus, gitLog, gitDiff, listFiles],
    onDone: () => setMessage(''),
  })
  const [only] = paths.length === 1 ? paths : []
  const agents = useTool(listAgents, { limit: AGENTS_MAX, ...(only === undefined ? {} : { query: only }) })
  const owner = agents.data?.agents.find(({ managed_file }) => managed_file === only)?.agent_id
  const agent = who !== '' && who === owner ? owner : undefined

  function submit(event: FormEvent): void {
    event.preventDefault()
    setIsMissing(message.trim() === '')
    if (message.trim() === '' || paths.length === 0) return
    commit.mutate({ message, paths: [...paths], ...(agent === undefined ? {} : { agent_id: agent }) })
  }

  return (
    <form className="stack commit-box" onSubmit={submit} noValidate aria-labelledby={id}>
      <h3 id={id}>Commit</h3>
      <Field label="Message" error={isMissing && message.trim() === '' ? 'Is needed' : undefined}>
        {(control) => (
          <textarea {...control} required value={message} onChange={({ target }) => setMessage(target.value)} />
        )}
      </Field>
      <Field
        label="In the name of"
        hint={owner === undefined ? 'An agent can be named where its own file is the only one chosen' : undefined}
      >
        {(control) => (
          <select
            {...control}
            value={agent ?? ''}
            disabled={owner === undefined}
            onChange={({ target }) => setWho(target.value)}
          >
            <option value="">Nobody in particular</option>
            {owner !== undefined && <option value={owner}>{owner}</option>}
          </select>
        )}
      </Field>
      {commit.error !== null && <ErrorState error={commit.error} />}
      <div className="tool-buttons">
        <Button type="submit" look="primary" busy={commit.isPending} disabled={paths.length === 0}>
          {paths.length === 0
            ? 'Choose files to commit'
            : `Commit ${isWhole && paths.length > 1 ? 'all ' : ''}${paths.length} ${paths.length === 1 ? 'file' : 'files'}`}
        </Button>
      </div>
    </form>
  )
}
