import type { Checks } from '#shared/schemas/check.ts'
import { StatusLight } from '../../components/status-light.tsx'
import { toTitle } from '../../components/words.ts'

/** The verdict of the checks, and what they found. */
export const JobChecks = ({ checks: { passed, ran, skipped, violations } }: { readonly checks: Checks }) => (
  <section aria-label="Checks" className="job-checks">
    <p className="job-text">
      <StatusLight light={passed ? 'good' : 'bad'}>{passed ? 'Checks passed' : 'Checks failed'}</StatusLight>{' '}
      <span className="soft">{ran.length === 0 ? 'none ran' : ran.map(toTitle).join(', ')}</span>
    </p>
    {(violations.length > 0 || skipped.length > 0) && (
      <ul>
        {violations.map(({ rule, severity, message, line }) => (
          <li key={`${rule} ${line} ${message}`}>
            <strong>
              {toTitle(rule)}, {severity}
              {line === null ? '' : `, line ${line}`}
            </strong>
            : {message}
          </li>
        ))}
        {skipped.map(({ rule, reason }) => (
          <li key={rule} className="soft">
            {toTitle(rule)} was not checked: {reason}
          </li>
        ))}
      </ul>
    )}
  </section>
)
