/**
 * How late timers are: what the event loop is held up by, under the names that Node's metrics have for it. Node's own
 * monitor wakes the process every 10 ms, which was 0.8 % of a core with nothing to do and 60 µs of each delivery at a
 * hundred a second; a timer of half a second finds all but short and rare blocks.
 */
import { createHistogram } from 'node:perf_hooks'
import { Gauge, type Registry } from '../bundled/prom-client.ts'
import type { Clock } from '../core/clock.ts'

const sampleEveryMs = 500
const nanosPerMs = 1e6

export interface LagFigures {
  readonly last: number
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly stddev: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
}

const lastName = 'nodejs_eventloop_lag_seconds'
const gauges = {
  min: ['nodejs_eventloop_lag_min_seconds', 'The least lateness of a timer since the last look.', 'min'],
  max: ['nodejs_eventloop_lag_max_seconds', 'The greatest lateness of a timer since the last look.', 'max'],
  mean: ['nodejs_eventloop_lag_mean_seconds', 'The mean lateness of timers since the last look.', 'average'],
  stddev: ['nodejs_eventloop_lag_stddev_seconds', 'The standard deviation of that lateness.', 'average'],
  p50: ['nodejs_eventloop_lag_p50_seconds', 'The 50th percentile of that lateness.', 'average'],
  p90: ['nodejs_eventloop_lag_p90_seconds', 'The 90th percentile of that lateness.', 'average'],
  p99: ['nodejs_eventloop_lag_p99_seconds', 'The 99th percentile of that lateness.', 'average'],
} as const

export class EventLoopLag {
  readonly #clock: Pick<Clock, 'elapsed' | 'schedule'>
  readonly #histogram = createHistogram()
  #last = 0
  #stopped = false
  #cancel: (() => void) | null = null

  constructor(clock: Pick<Clock, 'elapsed' | 'schedule'>) {
    this.#clock = clock
    this.#sample()
  }

  /** In seconds, since it was asked the last time. */
  take(): LagFigures {
    // The last one stands for a time without any.
    if (this.#histogram.count === 0) this.#record(this.#last)
    const { min, max, mean, stddev } = this.#histogram
    const percentile = (percent: number) => toSeconds(this.#histogram.percentile(percent))
    const figures = {
      last: this.#last / 1000,
      min: toSeconds(min),
      max: toSeconds(max),
      mean: toSeconds(mean),
      stddev: toSeconds(stddev),
      p50: percentile(50),
      p90: percentile(90),
      p99: percentile(99),
    }
    this.#histogram.reset()
    return figures
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #sample(): void {
    const dueAt = this.#clock.elapsed() + sampleEveryMs
    this.#cancel = this.#clock.schedule(sampleEveryMs, () => {
      this.#last = Math.max(0, this.#clock.elapsed() - dueAt)
      this.#record(this.#last)
      if (!this.#stopped) this.#sample()
    })
  }

  #record(lateMs: number): void {
    this.#histogram.record(Math.max(1, Math.round(lateMs * nanosPerMs)))
  }
}

function toSeconds(nanos: number): number {
  return nanos / nanosPerMs / 1000
}

/** Takes the place of the gauges that prom-client registers. */
export function registerEventLoopLag(registry: Registry, lag: Pick<EventLoopLag, 'take'> | null): void {
  const registers = [registry]
  for (const name of [lastName, ...Object.values(gauges).map(([each]) => each)])
    registry.removeSingleMetric(name)
  if (lag === null) return
  const others = Object.entries(gauges).map(
    ([figure, [name, help, aggregator]]) =>
      [figure as keyof typeof gauges, new Gauge({ name, help, aggregator, registers: [] })] as const,
  )
  new Gauge({
    name: lastName,
    help: 'The lateness of the last timer in seconds.',
    aggregator: 'average',
    registers,
    // Read first, so that it sets all of them.
    collect() {
      const figures = lag.take()
      this.set(figures.last)
      for (const [figure, gauge] of others) gauge.set(figures[figure])
    },
  })
  for (const [, gauge] of others) registry.registerMetric(gauge)
}
