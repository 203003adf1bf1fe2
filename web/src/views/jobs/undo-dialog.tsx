import { chatWithAgent } from '#shared/tools/agents.ts'
import { listJobs } from '#shared/tools/jobs.ts'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorState } from '../../components/states.tsx'
import { toHash } from '../../state/route.ts'
import { useChange } from '../../state/use-change.ts'

interface UndoDialogProps {
  readonly jobId: string
  readonly agentId: string
  readonly onClose: () => void
}

/** Takes the write of a job back by another job, whose page is shown then. */
export function UndoDialog({ jobId, agentId, onClose }: UndoDialogProps) {
  const undo = useChange(chatWithAgent, {
    done: () => 'Taking it back is a job of its own: this is its page',
    outdates: [listJobs],
  })
  const start = async () => {
    const message = 'Take the write back'
    const { job_id } = await undo.mutateAsync({ agent_id: agentId, message, revert: jobId, wait_seconds: 0 })
    window.location.hash = toHash('jobs', job_id)
  }
  return (
    <Dialog title="Take back what this job wrote?" onClose={onClose}>
      <p>
        The file of {agentId} becomes what it was before. If it was changed since, the server refuses, and nothing
        happens.
      </p>
      {undo.error !== null && <ErrorState error={undo.error} />}
      <div className="dialog-buttons">
        <Button onClick={onClose}>Keep it</Button>
        <Button look="primary" busy={undo.isPending} onClick={() => void start().catch(() => undefined)}>
          Take it back
        </Button>
      </div>
    </Dialog>
  )
}
