import * as v from 'valibot'
import { Usage } from '#shared/schemas/job.ts'
import { ImprovementStep } from '#shared/schemas/orchestration.ts'
import { ChatOutcome } from '#shared/tools/agents.ts'
import { findJobTool } from '#shared/tools/catalogue.ts'
import { Code } from '../../components/code.tsx'
import { Facts } from '../../components/facts.tsx'
import { Panel } from '../../components/panel.tsx'
import { UnifiedDiff } from '../../components/unified-diff.tsx'
import { toCount, toDuration } from '../../components/words.ts'
import { toHash } from '../../state/route.ts'
import { JobChecks } from './job-checks.tsx'
import { JobSteps } from './job-steps.tsx'

interface JobResultProps {
  readonly tool: string
  readonly result: Readonly<Record<string, unknown>>
}

/** What a chat and all improvements of one file have. */
const Written = v.object(ChatOutcome.entries)
const Run = v.object({ steps: v.array(v.object(ImprovementStep.entries)), usage: Usage })

/** What came of a job: for one that wrote a file its diff, checks and cost, for any other what its tool says of it. */
export function JobResult({ tool, result }: JobResultProps) {
  const written = v.safeParse(Written, result)
  if (written.success) return <WrittenResult outcome={written.output} />
  const run = v.safeParse(Run, result)
  return (
    <>
      <Panel title="Result">
        <div className="stack">
          {typeof result.sarif === 'string' && (
            <p className="job-text">
              <a href={toHash('quality')}>Show the newest report in Quality</a>
            </p>
          )}
          {run.success && <JobSteps steps={run.output.steps} />}
          <Code label="Result as a model reads it" text={toText(tool, result)} />
        </div>
      </Panel>
      {run.success && <UsagePanel usage={run.output.usage} attempts={null} />}
    </>
  )
}

function WrittenResult({ outcome }: { readonly outcome: ChatOutcome }) {
  const { reply, diff, diff_truncated, checks, proposal_id, changed, usage, attempts } = outcome
  return (
    <>
      <Panel title={changed ? 'Written' : proposal_id === null ? 'Answer' : 'Proposed'}>
        <div className="stack">
          {reply !== '' && <p className="job-text">{reply}</p>}
          {diff !== '' && <UnifiedDiff diff={diff} label="What changed" />}
          {diff_truncated && <p className="soft job-text">The diff is longer than what is kept of it.</p>}
          {checks !== null && <JobChecks checks={checks} />}
        </div>
      </Panel>
      <UsagePanel usage={usage} attempts={attempts} />
    </>
  )
}

const UsagePanel = ({ usage, attempts }: { readonly usage: Usage; readonly attempts: number | null }) => (
  <Panel title="Cost">
    <Facts
      facts={[
        { name: 'Model', value: usage.model },
        ...(attempts === null ? [] : [{ name: 'Attempts', value: attempts }]),
        {
          name: 'Prompt tokens',
          value: `${toCount(usage.prompt_tokens)} (${toCount(usage.cached_prompt_tokens)} still held)`,
        },
        { name: 'Answer tokens', value: toCount(usage.completion_tokens) },
        {
          name: 'First token after',
          value: usage.time_to_first_token_ms === null ? '–' : toDuration(usage.time_to_first_token_ms),
        },
        {
          name: 'Speed',
          value: usage.tokens_per_second === null ? '–' : `${usage.tokens_per_second.toFixed(1)} tokens/s`,
        },
        { name: 'Waited for the model', value: toDuration(usage.queue_ms) },
      ]}
    />
  </Panel>
)

function toText(tool: string, result: Readonly<Record<string, unknown>>): string {
  const declared = findJobTool(tool)
  const outcome = declared === undefined ? undefined : v.safeParse(declared.outcome, result)
  return declared !== undefined && outcome?.success === true
    ? declared.outcomeToText(outcome.output)
    : JSON.stringify(result, null, 2)
}
