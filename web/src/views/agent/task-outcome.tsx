import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense } from 'react'
import * as v from 'valibot'
import { Checks } from '#shared/schemas/check.ts'
import { Usage } from '#shared/schemas/job.ts'
import { getJob } from '#shared/tools/jobs.ts'
import { toolQuery } from '../../api/queries.ts'
import { LoadingState } from '../../components/states.tsx'
import { StatusLight } from '../../components/status-light.tsx'
import { useServices } from '../../state/services.ts'
import { useSignedIn } from '../../state/use-tool.ts'

const DiffView = lazy(() => import('../../components/diff-view/diff-view.tsx'))

/** What a job ended with, for eyes; a refusal carries the attempt that came nearest in its details. Other tools have less. */
const Shown = v.object({
  changed: v.fallback(v.boolean(), false),
  diff: v.fallback(v.string(), ''),
  diff_truncated: v.fallback(v.boolean(), false),
  checks: v.fallback(v.nullable(Checks), null),
  attempts: v.fallback(v.nullable(v.number()), null),
  usage: v.fallback(v.nullable(Usage), null),
  proposal_id: v.fallback(v.nullable(v.string()), null),
})
export type ShownOutcome = v.InferOutput<typeof Shown>

/** The outcome of a job that has ended; asked for once, since it stays as it is. */
export function useOutcome(jobId: string) {
  const { tools } = useServices()
  const query = useQuery({
    ...toolQuery(tools, getJob, { job_id: jobId }),
    enabled: useSignedIn(),
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: false,
  })
  const { data } = query
  const told = data?.result ?? data?.error?.details
  const outcome = told === undefined ? undefined : v.parse(Shown, told)
  return { outcome, isPending: query.isPending, error: query.error, isRefused: data?.error != null }
}

interface TaskOutcomeProps {
  readonly path: string
  readonly outcome: ShownOutcome
  readonly isRefused: boolean
}

/** Verdict, cost and change of a task. */
export function TaskOutcome({ path, outcome, isRefused }: TaskOutcomeProps) {
  const { checks, attempts, usage, diff, diff_truncated } = outcome
  const facts = [
    ...(attempts !== null && attempts > 0 ? [`${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`] : []),
    ...(usage === null || usage.completion_tokens === 0
      ? []
      : [`${usage.prompt_tokens} + ${usage.completion_tokens} tokens`, ...speed(usage)]),
  ]
  return (
    <>
      <div className="turn-facts">
        {checks !== null && (
          <StatusLight light={checks.passed ? 'good' : 'bad'}>
            {checks.passed ? 'Checks passed' : 'Checks failed'}
          </StatusLight>
        )}
        {facts.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
      </div>
      {checks !== null && checks.violations.length > 0 && (
        <ul className="turn-violations">
          {checks.violations.map(({ rule, message, line, severity }) => (
            <li key={`${rule} ${line} ${message}`} data-severity={severity}>
              <strong>{rule}</strong>
              {line === null ? '' : ` (line ${line})`}: {message}
            </li>
          ))}
        </ul>
      )}
      {isRefused && diff !== '' && <p className="soft turn-note">The nearest attempt, which was not written:</p>}
      {diff !== '' && (
        <Suspense fallback={<LoadingState>Loading the change…</LoadingState>}>
          <DiffView path={path} diff={diff} truncated={diff_truncated} />
        </Suspense>
      )}
    </>
  )
}

const speed = ({ tokens_per_second, time_to_first_token_ms }: Usage): string[] => [
  ...(tokens_per_second === null ? [] : [`${tokens_per_second.toFixed(1)} tokens/s`]),
  ...(time_to_first_token_ms === null ? [] : [`first token after ${(time_to_first_token_ms / 1000).toFixed(1)} s`]),
]
