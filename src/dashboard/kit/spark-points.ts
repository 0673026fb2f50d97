/** Where the points of a small line lie. Pure. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** So much at the edges stays free, for a line has a width. */
const margin = 2

/** Lines without gaps: where nothing was measured there is none. */
export function segmentsOf(
  values: readonly (number | null)[],
  {
    width,
    height,
    max,
  }: { readonly width: number; readonly height: number; readonly max?: number | undefined },
): readonly (readonly Point[])[] {
  const most = max ?? Math.max(1e-9, ...values.map((value) => value ?? 0))
  const step = (width - 2 * margin) / Math.max(1, values.length - 1)
  const segments: Point[][] = []
  let isOpen = false
  for (const [index, value] of values.entries()) {
    if (value === null) {
      isOpen = false
      continue
    }
    if (!isOpen) segments.push([])
    isOpen = true
    const y = height - margin - (Math.min(value, most) / most) * (height - 2 * margin)
    segments.at(-1)?.push({ x: rounded(margin + index * step), y: rounded(y) })
  }
  return segments
}

function rounded(number: number): number {
  return Math.round(number * 10) / 10
}
