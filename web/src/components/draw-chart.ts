import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export type AxisSteps = 'whole' | 'bytes'

interface Drawing {
  readonly series: readonly { readonly name: string; readonly dash: readonly number[] }[]
  readonly data: uPlot.AlignedData
  readonly format: (value: number) => string
  readonly steps: AxisSteps | undefined
}

/** Room for the longest figure with its unit, in CSS pixels. */
const AXIS_PIXELS = 78
/** A single moment has no width: less than this is drawn as if it were so long. */
const SPAN_MIN_S = 60

const increments = {
  whole: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000],
  bytes: Array.from({ length: 50 }, (_each, power) => 2 ** power),
}

const toIncrements = (steps: AxisSteps | undefined) => (steps === undefined ? {} : { incrs: increments[steps] })

/**
 * Draws into an element, as large as that is now and later. Lines have the colours of `swatches`, text that of the element:
 * they follow light and dark. Loaded with the library, when a chart is first shown.
 */
export function drawChart(place: HTMLElement, swatches: readonly Element[], { series, data, format, steps }: Drawing) {
  const colourOf = (element: Element | undefined) => getComputedStyle(element ?? place).color
  const lineColour = () => getComputedStyle(place).getPropertyValue('border-top-color')
  const font = `12px ${getComputedStyle(place).fontFamily}`
  const axis = {
    stroke: () => colourOf(place),
    font,
    grid: { stroke: lineColour, width: 1 },
    ticks: { show: false },
  }
  const chart = new uPlot(
    {
      width: place.clientWidth,
      height: place.clientHeight,
      legend: { show: false },
      cursor: { y: false, drag: { setScale: false } },
      scales: {
        x: { range: toSpan },
        y: { range: (_chart, _low, high) => [0, Math.max(1, high * 1.1)] },
      },
      axes: [
        // Room for a date and a time beneath the first mark, which uPlot does not reckon with.
        { ...axis, space: 90 },
        { ...axis, ...toIncrements(steps), size: AXIS_PIXELS, values: (_chart, splits) => splits.map(format) },
      ],
      series: [
        {},
        ...series.map(({ name, dash }, index) => ({
          label: name,
          stroke: () => colourOf(swatches[index]),
          width: 2,
          dash: [...dash],
          points: { size: 6, fill: () => colourOf(swatches[index]) },
        })),
      ],
    },
    data,
    place,
  )
  const resized = new ResizeObserver(() => {
    chart.setSize({ width: place.clientWidth, height: place.clientHeight })
  })
  resized.observe(place)
  const redraw = () => chart.redraw(false)
  const themed = new MutationObserver(redraw)
  themed.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  const dark = matchMedia('(prefers-color-scheme: dark)')
  dark.addEventListener('change', redraw)
  return {
    chart,
    stop() {
      resized.disconnect()
      themed.disconnect()
      dark.removeEventListener('change', redraw)
      chart.destroy()
    },
  }
}

/** From the first time to the last; the library would give a single one years. */
function toSpan({ data: [times] }: uPlot, first: number, last: number): [number, number] {
  const end = times.at(-1) ?? last
  return [Math.min(times[0] ?? first, end - SPAN_MIN_S), end]
}
