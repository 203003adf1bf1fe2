import { LineChart } from '../../components/line-chart.tsx'
import { Panel } from '../../components/panel.tsx'
import { EmptyState } from '../../components/states.tsx'
import { counted, toBytes, toCount } from '../../components/words.ts'
import type { Sample } from './samples.ts'
import { useSpeeds } from './use-speeds.ts'

/** Speed by job; memory and queue since this page was opened. */
export function ChartsPanel({ samples }: { readonly samples: readonly Sample[] }) {
  const speeds = useSpeeds().data ?? []
  const times = samples.map(({ time }) => time)
  const hasGpu = samples.some(({ gpuBytes }) => gpuBytes !== null)
  return (
    <Panel title="Speed and load">
      <div className="charts">
        {speeds.length === 0 ? (
          <EmptyState title="No answers yet">
            <p>How fast the model writes shows here, answer by answer, once an agent has done something.</p>
          </EmptyState>
        ) : (
          <LineChart
            title="Tokens per second"
            times={speeds.map(({ time }) => time)}
            series={[
              {
                name: `Last ${counted(speeds.length, 'answer')}`,
                values: speeds.map((speed) => speed.tokensPerSecond),
              },
            ]}
            format={(value) => `${value < 10 ? value.toFixed(1) : Math.round(value)}/s`}
          />
        )}
        <LineChart
          title="Memory"
          times={times}
          series={[
            { name: 'Worker', values: samples.map(({ workerBytes }) => workerBytes) },
            hasGpu
              ? { name: 'GPU', values: samples.map(({ gpuBytes }) => gpuBytes) }
              : { name: 'Model', values: samples.map(({ modelBytes }) => modelBytes) },
            { name: 'Server', values: samples.map(({ edgeBytes }) => edgeBytes) },
          ]}
          format={toBytes}
          steps="bytes"
        />
        <LineChart
          title="Jobs"
          times={times}
          series={[
            { name: 'At work', values: samples.map(({ running }) => running) },
            { name: 'Waiting', values: samples.map(({ queued }) => queued) },
          ]}
          format={toCount}
          steps="whole"
        />
      </div>
      <p className="soft charts-note">Memory and jobs since this page was opened, for an hour at most.</p>
    </Panel>
  )
}
