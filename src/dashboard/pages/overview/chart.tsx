/** Lines over time, drawn by uPlot in the colours of the style sheet. */
import { useEffect, useRef, useState } from 'preact/hooks'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { minuteFormat } from '../../kit/minute-format.ts'
import { type ChartLine, hasFigures } from './chart-data.ts'

const height = 180
/** Below this much labels of the axis would lie over each other. */
const axisSpace = 64

interface ChartProps {
  readonly title: string
  readonly times: readonly number[]
  readonly lines: readonly ChartLine[]
  /** A value as people read it. */
  readonly write: (value: number) => string
  /** Of the axis; absent: as the values have it. */
  readonly max?: number
  /** What is wide apart, as times may be, is seen side by side. */
  readonly isLogarithmic?: boolean
  /** In the place of lines, where there is no figure. */
  readonly empty?: string
  /** Of a rate, which is zero where nothing happened. */
  readonly isZeroNothing?: boolean
}

export function Chart(props: ChartProps) {
  const { title, times, lines, write, empty = 'Nothing happened.', isZeroNothing = false } = props
  const place = useRef<HTMLDivElement>(null)
  const legend = useRef<HTMLUListElement>(null)
  const [at, setAt] = useState<number | null>(null)
  const theme = useTheme()
  const isEmpty = !hasFigures(lines, isZeroNothing)
  const plot = useRef<UPlot | null>(null)
  const names = lines.map(({ name }) => name).join()
  useEffect(() => {
    const element = place.current
    if (element === null || isEmpty) return
    const drawn = draw(element, { ...props, inks: inksOf(legend.current), onPoint: setAt })
    plot.current = drawn
    const watching = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height }))
    watching.observe(element)
    return () => {
      watching.disconnect()
      drawn.destroy()
      plot.current = null
    }
  }, [names, isEmpty, theme])
  useEffect(() => plot.current?.setData(dataOf(props)), [times, lines])
  const shown = at ?? times.length - 1
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      {isEmpty ? (
        <p class="empty">{empty}</p>
      ) : (
        <>
          <ul class="legend" ref={legend}>
            {lines.map(({ name, values }, index) => (
              <li key={name}>
                <span class={`ink ink-${index + 1}`} aria-hidden="true" /> {name}{' '}
                <b>{textOf(values[shown] ?? null, write)}</b>
              </li>
            ))}
          </ul>
          <p class="hint">{timeText(times[shown])}</p>
          <div
            class="plot"
            ref={place}
            role="img"
            aria-label={`${title}, as lines; the table below has the figures`}
          />
        </>
      )}
    </figure>
  )
}

interface DrawOptions extends ChartProps {
  readonly inks: readonly string[]
  readonly onPoint: (index: number | null) => void
}

function draw(element: HTMLElement, options: DrawOptions): UPlot {
  const { lines, inks, write, max, isLogarithmic = false, onPoint } = options
  const { color: text, borderTopColor: line } = getComputedStyle(element)
  const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } }
  return new UPlot(
    {
      width: element.clientWidth,
      height,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: {
        y: isLogarithmic
          ? { distr: 3 }
          : { range: (_plot, _least, most) => [0, max ?? (most > 0 ? most * 1.05 : 1)] },
      },
      axes: [
        axis,
        { ...axis, size: axisSpace, values: (_plot, ticks) => ticks.map((tick) => textOf(tick, write)) },
      ],
      series: [
        {},
        ...lines.map((_, index) => ({
          stroke: inks[index] ?? text,
          width: 2,
          // Where nothing was measured before and after, a line alone would not be seen.
          points: { show: lines.length < 3, size: 4 },
          spanGaps: false,
        })),
      ],
      hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
    },
    dataOf(options),
    element,
  )
}

/** A logarithm has no zero. */
function dataOf({ times, lines, isLogarithmic = false }: ChartProps): UPlot.AlignedData {
  const values = lines.map((line) =>
    line.values.map((value) => (isLogarithmic && value !== null && value <= 0 ? null : value)),
  )
  return [[...times], ...values]
}

/** The colours of the legend, which the style sheet gives by light and dark. */
function inksOf(legend: HTMLElement | null): readonly string[] {
  return [...(legend?.querySelectorAll('.ink') ?? [])].map((ink) => getComputedStyle(ink).color)
}

/** Another one when the browser goes from light to dark or back. */
function useTheme(): boolean {
  const [isDark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const hear = () => setDark(query.matches)
    query.addEventListener('change', hear)
    return () => query.removeEventListener('change', hear)
  }, [])
  return isDark
}

/** Its zone is that of the axis too, which has no place for it. */
const exact = minuteFormat('en')

function timeText(seconds: number | undefined): string {
  return seconds === undefined ? '' : exact.format(seconds * 1000)
}

function textOf(value: number | null, write: (value: number) => string): string {
  return value === null ? '–' : write(value)
}
