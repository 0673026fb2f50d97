import type { Static } from 'typebox'
import { retryBoundsMs } from '../../core/stats/backlog.ts'
import { type OutcomeClass, outcomeClasses } from '../../core/stats/cells.ts'
import type { Percentiles, Summary } from '../../core/stats/series.ts'
import type { FoundTrouble } from '../../engine/find-trouble.ts'
import type { EndpointsStats, StatsNow, StatsSeries } from '../../engine/stats.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { EndpointStatsBody, SeriesBody, StatsBody, TroubleBody } from '../schemas/stats.ts'

export function toStats({ rates, backlog, recent, store, ...stats }: StatsNow): Static<typeof StatsBody> {
  const { oldestDueMs } = backlog
  return {
    read_at: formatTime(stats.readAt),
    tenant_id: stats.tenantId,
    rates: {
      window_seconds: rates.windowSeconds,
      events_per_second: inThousandths(rates.eventsPerSecond),
      deliveries_per_second: inThousandths(rates.deliveriesPerSecond),
      attempts_per_second: inThousandths(rates.attemptsPerSecond),
    },
    recent: { window_seconds: recent.windowSeconds, ...toFigures(recent) },
    backlog: {
      deliveries: { ...backlog.deliveries },
      oldest_due_seconds: oldestDueMs === null ? null : Math.max(0, oldestDueMs / 1000),
      retries: backlog.retries.map((count, index) => {
        const bound = retryBoundsMs[index]
        return { within_seconds: bound === undefined ? null : bound / 1000, count }
      }),
      retries_estimated: backlog.isEstimate,
    },
    dead_letters: { total: backlog.deliveries.dead_lettered, last_day: toOutcomes(stats.deadLetters) },
    nodes: stats.nodes.map(({ id, host, pid, role, version, startedAt, seenAt, inFlight }) => ({
      id,
      host,
      pid,
      role,
      version,
      started_at: formatTime(startedAt),
      seen_at: formatTime(seenAt),
      in_flight: inFlight,
    })),
    store: store === null ? null : { kind: store.kind, size_bytes: store.sizeBytes },
  }
}

export function toSeries({ readAt, span, bucketSeconds, buckets }: StatsSeries): Static<typeof SeriesBody> {
  return {
    read_at: formatTime(readAt),
    span,
    bucket_seconds: bucketSeconds,
    buckets: buckets.map((bucket) => ({ at: formatTime(bucket.at), ...toFigures(bucket) })),
  }
}

export function toEndpointStats(stats: EndpointsStats): Static<typeof EndpointStatsBody> {
  return {
    read_at: formatTime(stats.readAt),
    from: formatTime(stats.from),
    bucket_seconds: stats.bucketSeconds,
    items: stats.items.map(({ endpointId, total, buckets }) => ({
      endpoint_id: endpointId,
      attempt_count: total.attemptCount,
      success_rate: total.successRate,
      latency_ms: toPercentiles(total.latency),
      attempt_counts: buckets.map(({ attemptCount }) => attemptCount),
      success_rates: buckets.map(({ successRate }) => successRate),
      latency_p50s: buckets.map(({ latency }) => latency.p50),
    })),
  }
}

export function toTrouble(given: {
  readonly readAt: number
  readonly items: readonly FoundTrouble[]
}): Static<typeof TroubleBody> {
  return {
    read_at: formatTime(given.readAt),
    items: given.items.map((item) => ({
      endpoint_id: item.endpointId,
      tenant_id: item.tenantId,
      uid: item.uid,
      url: item.url,
      description: item.description,
      kind: item.kind,
      reason: item.reason,
      since: formatOptionalTime(item.since),
      until: formatOptionalTime(item.until),
      consecutive_failures: item.consecutiveFailures,
      recent_attempts: item.recent?.attemptCount ?? 0,
      recent_success_rate: item.recent?.successRate ?? null,
      recent_latency_ms: toPercentiles(item.recent?.latency ?? { p50: null, p99: null }),
    })),
  }
}

function toFigures(summary: Summary) {
  return {
    events: summary.events,
    deliveries: { ...summary.deliveries },
    attempts: toOutcomes(summary.attempts),
    success_rate: summary.successRate,
    latency_ms: toPercentiles(summary.latency),
    publish_to_delivered_ms: toPercentiles(summary.publishToDelivered),
  }
}

function toOutcomes(counts: Readonly<Record<OutcomeClass, number>>) {
  return outcomeClasses
    .filter((outcome) => counts[outcome] > 0)
    .map((outcome) => ({ outcome, count: counts[outcome] }))
}

function toPercentiles({ p50, p99 }: Percentiles) {
  return { p50, p99 }
}

function inThousandths(number: number): number {
  return Math.round(number * 1000) / 1000
}
