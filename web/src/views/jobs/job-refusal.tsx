import * as v from 'valibot'
import type { WireError } from '#shared/errors.ts'
import { Checks } from '#shared/schemas/check.ts'
import { Panel } from '../../components/panel.tsx'
import { UnifiedDiff } from '../../components/unified-diff.tsx'
import { toTitle } from '../../components/words.ts'
import { JobChecks } from './job-checks.tsx'

/** Facts of a refusal that are shown for what they are; others are told by its message. */
const Details = v.object({ checks: v.optional(v.nullable(Checks)), diff: v.optional(v.string(), '') })

/** Why a job did not do what it was asked for, and what there is of its attempt. */
export function JobRefusal({ error }: { readonly error: WireError }) {
  const details = v.safeParse(Details, error.details ?? {})
  const { checks, diff } = details.success ? details.output : { checks: null, diff: '' }
  return (
    <Panel title={`Refused: ${toTitle(error.code)}`}>
      <div className="stack">
        <p className="job-text job-refusal">{error.message}</p>
        {error.hint !== undefined && <p className="job-text soft">{error.hint}</p>}
        {checks != null && <JobChecks checks={checks} />}
        {diff !== '' && <UnifiedDiff diff={diff} label="What was refused" />}
      </div>
    </Panel>
  )
}
