import type { Job } from '#shared/schemas/job.ts'
import { cancelJob, getJob, listJobs } from '#shared/tools/jobs.ts'
import { Button } from '../../components/button.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ErrorState } from '../../components/states.tsx'
import { toTitle } from '../../components/words.ts'
import { useChange } from '../../state/use-change.ts'

interface CancelDialogProps {
  readonly job: Job
  readonly onClose: () => void
}

export function CancelDialog({ job: { job_id, tool, agent_id }, onClose }: CancelDialogProps) {
  const cancel = useChange(cancelJob, {
    done: ({ state, cancel_requested }) =>
      state === 'running' && cancel_requested ? 'The job is stopping' : `The job is ${state}`,
    outdates: [listJobs, getJob],
    onDone: onClose,
  })
  return (
    <Dialog title={`Cancel ${toTitle(tool)}?`} onClose={onClose}>
      <p>
        {agent_id === null ? 'The job' : `The job of ${agent_id}`} stops as soon as it can. What it has written already
        stays written; what it has not, is not.
      </p>
      {cancel.error !== null && <ErrorState error={cancel.error} />}
      <div className="dialog-buttons">
        <Button onClick={onClose}>Let it go on</Button>
        <Button look="danger" busy={cancel.isPending} onClick={() => cancel.mutate({ job_id })}>
          Cancel the job
        </Button>
      </div>
    </Dialog>
  )
}
