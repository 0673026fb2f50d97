/** One answer to `/metrics` for several processes: what each counted, added up. */
import type { MetricObjectWithValues, MetricValue } from 'prom-client'
import { AggregatorRegistry } from '../bundled/prom-client.ts'

/** What one process has counted so far; plain data, so that it can travel between processes. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[]

/** The text for Prometheus. Of gauges that say the same in every process, the first counts. */
export function renderSnapshots(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return aggregate(snapshots).metrics()
}

/**
 * Adds up what only ever grows and drops the rest: what has to go on counting when its process is gone, because
 * a sum that falls looks like a restart of them all.
 */
export async function keepCounters(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot> {
  const sums = await aggregate(snapshots).getMetricsAsJSON()
  // prom-client declares numbers and delivers names.
  const types: readonly unknown[] = ['counter', 'histogram']
  return (sums as unknown as MetricsSnapshot).filter(({ type }) => types.includes(type))
}

function aggregate(snapshots: readonly MetricsSnapshot[]) {
  return AggregatorRegistry.aggregate(snapshots.map((snapshot) => [...snapshot]))
}
