import { createHash } from 'node:crypto'
import type { Criterion } from '../judge.ts'
import type { ReportForm, TestCase, TestSuite } from '../report-form.ts'
import { escapeMarkup as text } from './escape.ts'

/** A page of the report that needs nothing beside itself: no script, no other file, a policy that allows its style alone. */
export function toHtml({ test_report: report }: ReportForm, criteria: readonly Criterion[]): string {
  const { metadata, test_suites, issues_found, performance_metrics: metrics, coverage, summary } = report
  const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${text(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Acceptance report: ${text(summary.overall_status)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Acceptance report ${badge(summary.overall_status)}</h1>
${definitions([
  ['Date (UTC)', metadata.test_date],
  ['Tester', metadata.tester],
  ['Version', metadata.environment.server_version],
  ['Model', metadata.environment.model],
  ['CUDA', metadata.environment.cuda_enabled ? 'yes' : 'no'],
  ['Ready for production', summary.ready_for_production ? 'yes' : 'no'],
])}
<h2>Criteria</h2>
${table(
  ['Criterion', 'Holds', 'Measured'],
  criteria.map(({ name, holds, says }) => [
    text(name),
    badge(holds === null ? 'NOT JUDGED' : holds ? 'PASS' : 'FAIL'),
    text(says),
  ]),
)}
<h2>Performance</h2>
${definitions([
  ['Average response', `${metrics.average_response_time_ms} ms`],
  ['Slowest operation', `${metrics.slowest_operation}, ${metrics.slowest_time_ms} ms`],
  ['Memory at the peak', metrics.memory_usage_mb === null ? 'not measured' : `${metrics.memory_usage_mb} MB`],
  ['GPU memory', metrics.gpu_memory_mb === null ? 'no GPU' : `${metrics.gpu_memory_mb} MB`],
  ['Tools', `${coverage.tools_tested} of ${coverage.tools_total} (${coverage.coverage_percentage}%)`],
  ...(coverage.untested_tools.length === 0 ? [] : [['Untested', coverage.untested_tools.join(', ')] as const]),
])}
<h2>Issues</h2>
${
  issues_found.length === 0
    ? '<p>None.</p>'
    : table(
        ['Severity', 'Category', 'What', 'Steps', 'Suggested'],
        issues_found.map((issue) => [
          badge(issue.severity),
          text(issue.category),
          text(issue.description),
          list(issue.reproduction_steps, 'ol'),
          text(issue.suggested_fix),
        ]),
      )
}
${test_suites.map(suiteSection).join('\n')}
${summary.next_steps.length === 0 ? '' : `<h2>Next steps</h2>\n${list(summary.next_steps, 'ul')}`}
</main>
</body>
</html>
`
}

function suiteSection(suite: TestSuite): string {
  return `<section>
<h2>${text(suite.suite_name)} ${badge(suite.status)}</h2>
<p>${suite.tests_passed} of ${suite.tests_run} passed, ${suite.tests_failed} failed</p>
${table(['Case', 'Status', 'ms', 'Seen'], suite.test_cases.map(caseRow))}
${suite.recommendations.length === 0 ? '' : list(suite.recommendations, 'ul')}
</section>`
}

function caseRow({ name, status, duration_ms, notes, error, expected, actual }: TestCase): string[] {
  const parts = [notes, error, expected && `expected: ${expected}`, actual && `actual: ${actual}`]
  const seen = parts.filter((part) => part !== undefined && part !== '').map((part) => `<pre>${text(part ?? '')}</pre>`)
  return [text(name), badge(status), String(duration_ms), seen.join('')]
}

const definitions = (rows: readonly (readonly [string, string])[]): string =>
  `<dl>${rows.map(([name, value]) => `<dt>${text(name)}</dt><dd>${text(value)}</dd>`).join('')}</dl>`

/** The cells are markup. A wide table scrolls by itself, by the keyboard too. */
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="wide" tabindex="0"><table><thead><tr>${heads.map((head) => `<th scope="col">${text(head)}</th>`).join('')}</tr></thead><tbody>${rows
    .map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
    .join('\n')}</tbody></table></div>`

const list = (items: readonly string[], kind: 'ol' | 'ul'): string =>
  `<${kind}>${items.map((item) => `<li>${text(item)}</li>`).join('')}</${kind}>`

const kinds: Readonly<Record<string, string>> = {
  PASS: 'good',
  FAIL: 'bad',
  HIGH: 'bad',
  PARTIAL: 'fair',
  PASS_WITH_ISSUES: 'fair',
  MEDIUM: 'fair',
}

const badge = (word: string): string => `<span class="badge ${kinds[word] ?? 'plain'}">${text(word)}</span>`

const style = `
:root { color-scheme: light dark; --text: #1b1f24; --page: #ffffff; --line: #c9d1d9; --soft: #f3f5f7; --good: #116329; --bad: #a40e26; --fair: #7d4e00; --plain: #57606a; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --page: #0d1117; --line: #3d444d; --soft: #161b22; --good: #56d364; --bad: #ff7b72; --fair: #e3b341; --plain: #9da7b3; } }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 75rem; margin: 0 auto; padding: 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; margin: 0; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: 0.35rem 0.6rem; text-align: start; vertical-align: top; }
th { background: var(--soft); }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.45 ui-monospace, monospace; }
.badge { font-size: 0.8em; font-weight: 700; border: 1px solid currentColor; border-radius: 0.35em; padding: 0 0.45em; white-space: nowrap; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.fair { color: var(--fair); }
.plain { color: var(--plain); }
`
