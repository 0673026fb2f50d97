/** A small line over the last day, with its words: whoever does not see it reads them. */
import { type Point, segmentsOf } from './spark-points.ts'

const width = 96
const height = 24

interface SparklineProps {
  /** Of each hour, the oldest first; null: nothing was measured. */
  readonly values: readonly (number | null)[]
  /** Of the axis, which begins at zero; absent: the largest of the values. */
  readonly max?: number
  /** What it shows, with the figure. */
  readonly label: string
}

export function Sparkline({ values, max, label }: SparklineProps) {
  const segments = segmentsOf(values, { width, height, max })
  const text = (points: readonly Point[]) => points.map(({ x, y }) => `${x},${y}`).join(' ')
  return (
    <svg
      class="spark"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
    >
      <title>{label}</title>
      {segments.map((points) => {
        const [first] = points
        return points.length > 1 || first === undefined ? (
          <polyline key={text(points)} points={text(points)} />
        ) : (
          <circle key={text(points)} cx={first.x} cy={first.y} r="2" />
        )
      })}
    </svg>
  )
}
