import { type RefObject, useEffect, useRef, useState } from 'react'
import type uPlot from 'uplot'
import { chartSummary } from './chart-summary.ts'
import type { AxisSteps } from './draw-chart.ts'
import { Table } from './table.tsx'
import './line-chart.css'

export interface ChartSeries {
  readonly name: string
  /** One for each time; null where nothing is known. */
  readonly values: readonly (number | null)[]
}

interface LineChartProps {
  readonly title: string
  /** In ms since the epoch, growing. */
  readonly times: readonly number[]
  /** Three at most. */
  readonly series: readonly ChartSeries[]
  /** A value with its unit. */
  readonly format: (value: number) => string
  /** Where the axis has its lines: at whole numbers, or at those that are round in bytes; at round ones where left out. */
  readonly steps?: AxisSteps | undefined
}

const dashes = [[], [8, 5], [2, 4]]
const ROWS_MAX = 200

/** Figures over time, drawn; the same in words for who does not see it, and as a table for who wants numbers. */
export function LineChart({ title, times, series, format, steps }: LineChartProps) {
  const plot = useRef<HTMLDivElement>(null)
  const legend = useRef<HTMLElement>(null)
  useChart(plot, legend, { title, times, series, format, steps })
  const [isOpen, setIsOpen] = useState(false)
  const rows = isOpen ? times.map((time, index) => ({ time, index })).slice(-ROWS_MAX) : []
  return (
    <figure className="line-chart">
      <figcaption ref={legend}>
        <span className="line-chart-title">{title}</span>
        {series.map(({ name }, index) => (
          <span key={name} className="line-chart-series">
            <span className={`line-chart-swatch line-chart-colour-${index}`} />
            {name}
          </span>
        ))}
      </figcaption>
      <div ref={plot} className="line-chart-plot" role="img" aria-label={chartSummary(title, times, series, format)} />
      <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
        <summary>{title} as a table</summary>
        {isOpen && (
          <div className="line-chart-rows">
            <Table
              caption={title}
              rows={rows.toReversed()}
              keyOf={({ index }) => String(index)}
              columns={[
                { title: 'Time', cell: ({ time }) => new Date(time).toLocaleString() },
                ...series.map(({ name, values }) => ({
                  title: name,
                  isNumber: true,
                  cell: ({ index }: { index: number }) => toCell(values[index], format),
                })),
              ]}
            />
          </div>
        )}
      </details>
    </figure>
  )
}

const toCell = (value: number | null | undefined, format: (value: number) => string): string =>
  value === null || value === undefined ? '–' : format(value)

function useChart(
  plot: RefObject<HTMLDivElement | null>,
  legend: RefObject<HTMLElement | null>,
  props: LineChartProps,
) {
  const { times, series, format, steps } = props
  const chart = useRef<uPlot>(null)
  const names = series.map(({ name }) => name).join('\n')
  const data = useRef<uPlot.AlignedData>([[]])
  data.current = [times.map((time) => time / 1000), ...series.map(({ values }) => [...values])]
  const shown = useRef(format)
  shown.current = format

  useEffect(() => {
    let ended = false
    let stop = () => {}
    void import('./draw-chart.ts').then(({ drawChart }) => {
      const place = plot.current
      const swatches = [...(legend.current?.querySelectorAll('.line-chart-swatch') ?? [])]
      if (ended || place === null) return
      const drawn = drawChart(place, swatches, {
        series: names.split('\n').map((name, index) => ({ name, dash: dashes[index] ?? [] })),
        data: data.current,
        format: (value) => shown.current(value),
        steps,
      })
      chart.current = drawn.chart
      stop = drawn.stop
    })
    return () => {
      ended = true
      chart.current = null
      stop()
    }
  }, [names, steps, plot, legend])

  useEffect(() => {
    chart.current?.setData(data.current)
  })
}
