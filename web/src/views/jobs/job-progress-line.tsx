import type { JobProgress } from '#shared/schemas/job.ts'
import { toTitle } from '../../components/words.ts'
import { shareOf } from './job-share.ts'
import './job-progress-line.css'

interface JobProgressLineProps {
  readonly label: string
  readonly progress: JobProgress | null
}

/** How far a job is: in words, and as a bar, which moves by itself where nobody knows how much is left. */
export function JobProgressLine({ label, progress }: JobProgressLineProps) {
  const share = progress === null ? undefined : shareOf(progress)
  return (
    <div className="job-progress">
      <progress aria-label={label} {...(share === undefined ? {} : { value: share })} max={1} />
      <p>{progress === null ? 'Waits for its turn' : toWords(progress)}</p>
    </div>
  )
}

const toWords = ({ phase, round, tokens, message }: JobProgress): string =>
  [
    message === '' ? toTitle(phase) : message,
    ...(round > 1 ? [`round ${round}`] : []),
    ...(tokens > 0 ? [`${tokens} tokens`] : []),
  ].join(' · ')
