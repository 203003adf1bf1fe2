import { useEffect } from 'react'
import type { Job } from '#shared/schemas/job.ts'
import { getAgentFile } from '#shared/tools/agent-files.ts'
import { getAgentInfo } from '#shared/tools/agents.ts'
import { cancelJob, getJob } from '#shared/tools/jobs.ts'
import { toolKey } from '../../api/queries.ts'
import { Button } from '../../components/button.tsx'
import { MessageText } from '../../components/message-text.tsx'
import { Spinner } from '../../components/spinner.tsx'
import { createSentTasks } from '../../state/sent-tasks.ts'
import { useServices } from '../../state/services.ts'
import { signInMessage } from '../../state/sign-in-words.ts'
import { useChange } from '../../state/use-change.ts'
import { useStore } from '../../state/use-store.ts'
import { useFollowJob } from './follow-job.ts'
import { stepTitle } from './step-title.ts'
import { jobTitle } from './turns.ts'

/** While a task runs, the connection is looked at this often: a worker that is gone is said soon. */
const LOOK_MS = 4000

const waits: Readonly<Record<string, string>> = {
  offline: 'This computer is offline. The task goes on without it, and is shown again when it is back.',
  server_unreachable: 'The server does not answer. The task is kept, and goes on when the server is back.',
  server_failing: 'The server is not well. The task is kept, and goes on when it is.',
  worker_offline: 'The worker is gone. The task is kept, and goes on when the worker is back.',
  model_unavailable: 'The model is not ready. The task waits for it.',
}

/** A task that has not ended: what it does at the moment, the text as it is written, and how to stop it. */
export function LiveTask({ job }: { readonly job: Job }) {
  const { connection, queries, toasts } = useServices()
  const { condition } = useStore(connection.state)
  const { steps, problem } = useFollowJob(job.job_id, (ended) => {
    createSentTasks(localStorage).forget(job.job_id)
    if (ended.state === 'cancelled') toasts.show('done', 'Stopped: the file is as it was')
    for (const tool of [getAgentInfo, getAgentFile]) void queries.invalidateQueries({ queryKey: toolKey(tool) })
    queries.removeQueries({ queryKey: toolKey(getJob, { job_id: job.job_id }) })
  })
  const stop = useChange(cancelJob, { done: () => 'Stopping…', outdates: [getAgentInfo] })
  useEffect(() => {
    const timer = setInterval(() => connection.look(), LOOK_MS)
    return () => clearInterval(timer)
  }, [connection])

  const task = createSentTasks(localStorage).find(job.job_id)
  const now = steps.at(-1)
  const wait = waits[condition]
  return (
    <li className="turn" data-state={job.state} data-job={job.job_id}>
      <div className="turn-task">{task === undefined ? jobTitle(job.tool) : <MessageText text={task} />}</div>
      <div className="turn-answer live">
        <div className="row live-head">
          <Spinner />
          <strong role="status">{now === undefined ? 'Waiting for its turn' : stepTitle(now)}</strong>
          <Button busy={stop.isPending} onClick={() => stop.mutate({ job_id: job.job_id })}>
            Stop
          </Button>
        </div>
        {wait !== undefined && <p className="live-wait">{wait}</p>}
        {wait === undefined && problem !== null && <p className="live-wait">{signInMessage(problem)}</p>}
        {stop.error !== null && <p className="live-wait">{signInMessage(stop.error)}</p>}
        {steps.length > 0 && (
          <ol className="live-steps" aria-label="What was done">
            {steps.map((step) => (
              <li key={step.id} aria-current={step === now ? 'step' : undefined}>
                {stepTitle(step)}
              </li>
            ))}
          </ol>
        )}
        {now?.answer_tail !== undefined && now.answer_tail !== '' && (
          <figure className="live-text" aria-label="The answer as it is written">
            <pre>{now.answer_tail}</pre>
          </figure>
        )}
      </div>
    </li>
  )
}
