import { LineChart } from '../../components/line-chart.tsx'
import { Table } from '../../components/table.tsx'
import { toCount, toMoment, toTitle } from '../../components/words.ts'
import { toHash } from '../../state/route.ts'
import { byCommit, type TrendPoint } from './trend.ts'

const score = (value: number): string => value.toFixed(value % 1 === 0 ? 0 : 1)

/** How the repository did, look by look and commit by commit. */
export function TrendPanel({ points }: { readonly points: readonly TrendPoint[] }) {
  const scored = points.filter((point) => point.score !== null)
  const counted = points.filter((point) => point.findings !== null)
  const rows = byCommit(points).toReversed()
  return (
    <>
      <p className="soft quality-note">
        Every validation is a point, at the commit that the work tree was based on then. A run of part of the repository
        counts fewer files.
      </p>
      <div className="chart-pair">
        {scored.length > 0 && (
          <LineChart
            title="Score of 100"
            times={scored.map(({ time }) => time)}
            series={[{ name: 'Score', values: scored.map((point) => point.score) }]}
            format={score}
          />
        )}
        <LineChart
          title="Findings"
          times={counted.map(({ time }) => time)}
          series={[
            { name: 'All findings', values: counted.map((point) => point.findings) },
            { name: 'Too complex', values: counted.map(({ totals }) => totals.too_complex ?? null) },
            { name: 'Missing tests', values: counted.map(({ totals }) => totals.missing_tests ?? null) },
          ]}
          format={toCount}
          steps="whole"
        />
      </div>
      <Table
        caption="By commit, the newest first"
        isCaptionHidden={false}
        rows={rows}
        keyOf={({ jobId }) => jobId}
        columns={[
          {
            title: 'Commit',
            cell: ({ commit, jobId }) => (
              <a href={toHash('jobs', jobId)} aria-label={`Job of the look at ${commit?.slice(0, 10) ?? 'no commit'}`}>
                <code>{commit?.slice(0, 10) ?? 'not noted'}</code>
              </a>
            ),
          },
          { title: 'Last look', cell: ({ time }) => toMoment(new Date(time).toISOString()) },
          { title: 'Score', isNumber: true, cell: (point) => (point.score === null ? '–' : score(point.score)) },
          { title: 'Findings', isNumber: true, cell: ({ findings }) => (findings === null ? '–' : toCount(findings)) },
          { title: 'Files', isNumber: true, isWideOnly: true, cell: ({ files }) => toCount(files) },
          { title: 'Most of', isWideOnly: true, cell: ({ totals }) => mostOf(totals) },
        ]}
      />
    </>
  )
}

function mostOf(totals: TrendPoint['totals']): string {
  const [most] = Object.entries(totals).toSorted(([, one], [, other]) => other - one)
  return most === undefined || most[1] === 0 ? '–' : `${toTitle(most[0])} (${toCount(most[1])})`
}
