export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly runs: number
}

export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** Linear between the two nearest values; NaN when there is none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = Float64Array.from(values).sort()
  const position = ((sorted.length - 1) * percent) / 100
  const low = sorted[Math.floor(position)] ?? Number.NaN
  const high = sorted[Math.ceil(position)] ?? low
  return low + (high - low) * (position - Math.floor(position))
}

/** The values of each run by the figure's name; names are plain words with their unit. */
export class Series {
  readonly #values = new Map<string, number[]>()
  readonly #prefix: string

  /** Of every name. */
  constructor(prefix = '') {
    this.#prefix = prefix
  }

  /** NaN, what this Node cannot measure, is left out. */
  add(words: string, value: number): void {
    if (Number.isNaN(value)) return
    const name = this.#prefix + words
    const values = this.#values.get(name)
    if (values === undefined) this.#values.set(name, [value])
    else values.push(value)
  }

  figures(): Map<string, Figure> {
    const figures = new Map<string, Figure>()
    for (const [name, values] of this.#values) {
      figures.set(name, {
        median: round(median(values)),
        min: round(Math.min(...values)),
        max: round(Math.max(...values)),
        runs: values.length,
      })
    }
    return figures
  }
}

/** Four significant digits; whole numbers stay whole. */
function round(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4))
}
