/**
 * What is counted on every request and attempt, as plain numbers: prom-client's own counting works labels out each time,
 * which was 3 % of what a request to publish costs. The registry asks for the values when somebody looks.
 */
import type { Counter, Histogram, Registry } from '../bundled/prom-client.ts'

interface Described {
  readonly name: string
  readonly help: string
}

interface Value {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

/** A count under labels that stay the same. */
export interface Tally {
  readonly labels: Readonly<Record<string, string>>
  value: number
}

export class PlainCounter {
  readonly name: string
  readonly help: string
  readonly type = 'counter'
  readonly aggregator = 'sum'
  readonly #tallies: Tally[] = []

  constructor(registry: Registry, { name, help }: Described) {
    this.name = name
    this.help = help
    register(registry, this)
  }

  /** Counted up by whoever holds it, and shown from now on. */
  tally(labels: Readonly<Record<string, string>>): Tally {
    const tally = { labels, value: 0 }
    this.#tallies.push(tally)
    return tally
  }

  async get() {
    const { name, help, type, aggregator } = this
    const values: readonly Value[] = this.#tallies.map((tally) => ({ ...tally }))
    return { name, help, type, aggregator, values }
  }
}

export class PlainHistogram {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly #upperBounds: readonly number[]
  /** Of each bucket alone, and one more for what is above all bounds. */
  readonly #counts: number[]
  #sum = 0

  constructor(registry: Registry, { name, help }: Described, upperBounds: readonly number[]) {
    this.name = name
    this.help = help
    this.#upperBounds = upperBounds
    this.#counts = new Array(upperBounds.length + 1).fill(0)
    register(registry, this)
  }

  observe(value: number): void {
    const bounds = this.#upperBounds
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#sum += value
  }

  async get() {
    const { name, help, type, aggregator } = this
    let count = 0
    const values: Value[] = this.#counts.map((own, index) => {
      count += own
      const le = this.#upperBounds[index] ?? '+Inf'
      return { labels: { le }, value: count, metricName: `${name}_bucket` }
    })
    values.push({ labels: {}, value: this.#sum, metricName: `${name}_sum` })
    values.push({ labels: {}, value: count, metricName: `${name}_count` })
    return { name, help, type, aggregator, values }
  }
}

/** The registry asks no more of a metric than its name and `get`, though its type names prom-client's own classes. */
function register(registry: Registry, metric: PlainCounter | PlainHistogram): void {
  registry.registerMetric(metric as unknown as Counter | Histogram)
}
