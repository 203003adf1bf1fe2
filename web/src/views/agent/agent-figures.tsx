import type { Job, UsageTotal } from '#shared/schemas/job.ts'
import { isFinal } from '#shared/schemas/job.ts'
import { chatWithAgent } from '#shared/tools/agents.ts'
import { useOutcome } from './task-outcome.tsx'

interface AgentFiguresProps {
  readonly total: UsageTotal
  /** Newest first. */
  readonly jobs: readonly Job[]
}

const count = (value: number): string => value.toLocaleString('en')
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** What the agent's work has cost, in all and in its latest task. */
export function AgentFigures({ total, jobs }: AgentFiguresProps) {
  const latest = jobs.find(({ state, tool }) => isFinal(state) && state !== 'cancelled' && tool === chatWithAgent.name)
  const perSecond = total.generating_ms > 0 ? (total.completion_tokens / (total.generating_ms / 1000)).toFixed(1) : '–'
  return (
    <>
      <h3>All jobs</h3>
      <dl className="figures">
        <Figure name="Jobs" value={count(total.jobs)} />
        <Figure name="Prompt tokens" value={count(total.prompt_tokens)} />
        <Figure name="of them cached" value={count(total.cached_prompt_tokens)} />
        <Figure name="Answer tokens" value={count(total.completion_tokens)} />
        <Figure name="Tokens per second" value={perSecond} />
        <Figure name="Writing" value={seconds(total.generating_ms)} />
        <Figure name="Waiting for the model" value={seconds(total.queue_ms)} />
      </dl>
      {latest !== undefined && <LatestTask jobId={latest.job_id} />}
    </>
  )
}

function LatestTask({ jobId }: { readonly jobId: string }) {
  const { outcome } = useOutcome(jobId)
  const usage = outcome?.usage
  if (outcome === undefined || usage === undefined || usage === null || usage.completion_tokens === 0) return null
  const { time_to_first_token_ms: first, tokens_per_second: speed } = usage
  return (
    <>
      <h3>Latest task</h3>
      <dl className="figures">
        <Figure name="Model" value={usage.model} />
        <Figure name="Rounds" value={count(outcome.attempts ?? 0)} />
        <Figure name="Time to first token" value={first === null ? '–' : seconds(first)} />
        <Figure name="Tokens per second" value={speed === null ? '–' : speed.toFixed(1)} />
        <Figure name="Prompt tokens" value={count(usage.prompt_tokens)} />
        <Figure name="Answer tokens" value={count(usage.completion_tokens)} />
      </dl>
    </>
  )
}

const Figure = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
)
