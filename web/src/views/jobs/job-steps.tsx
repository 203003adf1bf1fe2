import type { JobProgress } from '#shared/schemas/job.ts'
import { StatusLight } from '../../components/status-light.tsx'
import { toTitle } from '../../components/words.ts'

const lights: Readonly<Record<string, 'good' | 'waiting' | 'bad'>> = {
  kept: 'good',
  running: 'waiting',
  reverted: 'bad',
}

/** The plan of a job of many steps, and how far each is. */
export function JobSteps({ steps }: { readonly steps: NonNullable<JobProgress['steps']> }) {
  if (steps.length === 0) return null
  return (
    <ol className="plain-list job-steps">
      {steps.map(({ path, action, state }) => (
        <li key={`${action} ${path}`}>
          <StatusLight light={lights[state] ?? 'off'}>{toTitle(state)}</StatusLight>
          <span>
            {toTitle(action)} <code>{path}</code>
          </span>
        </li>
      ))}
    </ol>
  )
}
