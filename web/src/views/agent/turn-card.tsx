import { useState } from 'react'
import { Button } from '../../components/button.tsx'
import { MessageText } from '../../components/message-text.tsx'
import { LoadingState } from '../../components/states.tsx'
import { signInMessage } from '../../state/sign-in-words.ts'
import { rejectProposal, useRejected } from './rejected-proposals.ts'
import { useSubmitTask } from './submit-task.ts'
import { TaskOutcome, useOutcome } from './task-outcome.tsx'
import { acceptTask, isOwnTask, revertTask, type Turn } from './turns.ts'

interface TurnCardProps {
  readonly turn: Turn
  readonly agentId: string
  readonly path: string
  /** Shows what came of it at once, and not only when asked to. */
  readonly isOpen: boolean
  /** What the tasks after it did with its proposal or its write. */
  readonly later: readonly Turn[]
}

/** A task that has ended: what was asked, what was answered, and what came of it. */
export function TurnCard({ turn, agentId, path, isOpen, later }: TurnCardProps) {
  const [open, setOpen] = useState(isOpen)
  return (
    <li className="turn" data-job={turn.jobId}>
      <div className="turn-task">
        {isOwnTask(turn.task) ? (
          <em>{turn.task.startsWith('Accept') ? 'Accepted the proposal' : 'Took a change back'}</em>
        ) : (
          <MessageText text={turn.task} />
        )}
        <time dateTime={turn.at}>
          {new Date(turn.at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })}
        </time>
      </div>
      <div className="turn-answer">
        <MessageText text={turn.answer} />
        {open ? (
          <Details turn={turn} agentId={agentId} path={path} later={later} />
        ) : (
          <Button look="quiet" className="turn-more" onClick={() => setOpen(true)}>
            Show what came of it
          </Button>
        )}
      </div>
    </li>
  )
}

function Details({ turn, agentId, path, later }: Omit<TurnCardProps, 'isOpen'>) {
  const { outcome, isPending, error, isRefused } = useOutcome(turn.jobId)
  const submit = useSubmitTask(() => undefined)
  const isRejected = useRejected(turn.jobId)
  if (error !== null) return <p className="soft turn-note">{signInMessage(error)}</p>
  if (isPending) return <LoadingState>Loading what came of it…</LoadingState>
  if (outcome === undefined) return null
  const { jobId } = turn
  const isProposal = outcome.proposal_id !== null
  // A refusal begins with its code and does nothing.
  const didLater = (task: string) => later.some((next) => next.task === task && !/^[a-z_]+: /.test(next.answer))
  const isAccepted = didLater(acceptTask(jobId))
  const isReverted = didLater(revertTask(jobId))
  return (
    <>
      <TaskOutcome path={path} outcome={outcome} isRefused={isRefused} />
      {isProposal && !isAccepted && !isRejected && (
        <div className="row">
          <Button
            look="primary"
            busy={submit.isPending}
            onClick={() => submit.mutate({ agent_id: agentId, message: acceptTask(jobId), accept: jobId })}
          >
            Accept
          </Button>
          <Button onClick={() => rejectProposal(jobId)}>Reject</Button>
          <span className="soft">Nothing is written until you accept it.</span>
        </div>
      )}
      {isProposal && isAccepted && <p className="turn-note">Accepted: written as it was proposed.</p>}
      {isProposal && isRejected && <p className="turn-note">Rejected: nothing was written.</p>}
      {outcome.changed && !isReverted && (
        <div className="row">
          <Button
            busy={submit.isPending}
            onClick={() => submit.mutate({ agent_id: agentId, message: revertTask(jobId), revert: jobId })}
          >
            Undo
          </Button>
        </div>
      )}
      {outcome.changed && isReverted && <p className="turn-note">Taken back: the file was as before.</p>}
      {submit.error !== null && (
        <p className="field-error" role="alert">
          {signInMessage(submit.error)}
        </p>
      )}
    </>
  )
}
