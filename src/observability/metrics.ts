/**
 * The metrics of `/metrics`, as `metric-table.ts` has them. What is counted on every request and attempt are plain numbers (`plain-metrics.ts`).
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from '../bundled/prom-client.ts'
import { warningDays } from '../core/certificate.ts'
import type { AttemptStatus, DeliveryState, DisabledReason, ErrorClass } from '../core/model.ts'
import type { MetricsSnapshot } from './aggregate-metrics.ts'
import { type EventLoopLag, registerEventLoopLag } from './event-loop-lag.ts'
import { type MetricName, metricTable, processMetricTable } from './metric-table.ts'
import { registerOutboxes, type ShownOutbox } from './outbox-metrics.ts'
import { PlainCounter, PlainHistogram, type Tally } from './plain-metrics.ts'

/** From a commit beside others, and a fast answer on the same machine, to the total timeout of an attempt, and what lies beyond it. */
const durationBucketsSeconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30,
]

const ingestResults = [
  'accepted',
  'replayed',
  'conflict',
  'rejected',
  'forbidden',
  'limited',
  'backlog_full',
  'unavailable',
] as const
type IngestResult = (typeof ingestResults)[number]

const wrongTokenReasons = ['missing', 'unknown', 'slowed'] as const

const pauseReasons = ['failing', 'throttled'] as const

const retentionKinds = ['payloads', 'attempts', 'deliveries', 'events', 'jobs'] as const

/** From a look that finds nothing to one through a large backlog, which pauses for as long as it works. */
const retentionBucketsSeconds = [0.001, 0.01, 0.1, 1, 10, 60, 600, 3600]

const outcomes = {
  success: 'success',
  retryable_failure: 'retryable',
  permanent_failure: 'permanent',
} as const satisfies Record<AttemptStatus, string>

/** As long as a timer can wait: the monitor whose figures are not used then wakes nobody. */
const neverMs = 2 ** 31 - 1

export interface MetricSources {
  /** Deliveries by state, the age of the oldest due one, and what ordering keys there are. Default of these: none. */
  counts(): Promise<{
    readonly deliveries: Readonly<Record<DeliveryState, number>>
    readonly oldestDueMs: number | null
    readonly orderedKeys?: { readonly blocked: number; readonly waiting: number }
  }>
  /** Requests under way. */
  inFlight(): number
  /** Outboxes in SQLite files of the user's own. Default: there are none. */
  readonly outboxes?: () => readonly ShownOutbox[]
  /** Whether this process delivers. Default: it does. */
  readonly dispatches?: boolean
  /** Default: none is told. */
  readonly version?: string
  /** Default: it is not told. */
  readonly eventLoopLag?: Pick<EventLoopLag, 'take'>
}

/** A request to the server that has its answer. */
export interface AnsweredRequest {
  readonly method: string
  /** As the OpenAPI document has it; null where no route was found. */
  readonly route: string | null
  readonly status: number
  readonly elapsedMs: number
}

/** Feed it from the engine's activity: `activity.on('attempt', metrics.attempt)` and so on. */
export interface Metrics {
  readonly ingest: (result: IngestResult) => void
  readonly request: (request: AnsweredRequest) => void
  readonly wrongToken: (reason: (typeof wrongTokenReasons)[number]) => void
  readonly attempt: (attempt: {
    readonly status: AttemptStatus
    readonly errorClass: ErrorClass | null
    readonly latencyMs: number
  }) => void
  readonly deadLetter: () => void
  readonly deliveryFailing: () => void
  readonly endpointDisabled: (activity: { readonly reason: DisabledReason }) => void
  readonly endpointEnabled: (activity: { readonly reason: DisabledReason }) => void
  readonly certificateExpiring: (activity: { readonly withinDays: number }) => void
  readonly staleOutcome: () => void
  readonly endpointPaused: (activity: { readonly reason: (typeof pauseReasons)[number] }) => void
  /** Claims of one delivery that ended without an outcome. */
  readonly lostClaims: (activity: { readonly count: number }) => void
  readonly targetsRepaired: (activity: { readonly count: number }) => void
  readonly filtered: (activity: { readonly count: number }) => void
  readonly violation: (activity: { readonly refused: boolean }) => void
  readonly retentionRun: (activity: {
    readonly removed: Readonly<Record<(typeof retentionKinds)[number], number>>
    readonly elapsedMs: number
  }) => void
  readonly contentType: string
  /** The text for Prometheus. Answers while the store is down, without what only the store knows. */
  readonly render: () => Promise<string>
  /** The same as data, for a group of processes that answers as one. */
  readonly snapshot: () => Promise<MetricsSnapshot>
}

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: neverMs })
  registerEventLoopLag(registry, sources.eventLoopLag ?? null)
  // Gauges whose names end as those of counters do; the sums of others that are there by kind.
  for (const sum of ['handles', 'requests', 'resources']) {
    registry.removeSingleMetric(`nodejs_active_${sum}_total`)
  }
  for (const [name, { help }] of Object.entries(processMetricTable)) {
    const metric = registry.getSingleMetric(name) as { help: string } | undefined
    if (metric !== undefined) metric.help = help
  }

  // Shown from the start: an alert on a rate misses the first of what appears out of nothing.
  const ingest = new PlainCounter(registry, describe('outhook_ingest_events_total'))
  const ingestBy = new Map(ingestResults.map((result) => [result, ingest.tally({ result })]))
  const refused = counter(registry, 'outhook_refused_credentials_total')
  for (const reason of wrongTokenReasons) refused.labels(reason).inc(0)
  const countAttempt = countAttempts(registry)
  const deadLetters = counter(registry, 'outhook_dead_letters_total')
  const failing = counter(registry, 'outhook_deliveries_failing_total')
  const stale = counter(registry, 'outhook_stale_outcomes_total')
  const disabled = counter(registry, 'outhook_endpoints_disabled_total')
  for (const reason of ['gone', 'failing'] as const) disabled.labels(reason).inc(0)
  const enabled = counter(registry, 'outhook_endpoints_enabled_total')
  for (const reason of ['gone', 'failing', 'operator'] as const) enabled.labels(reason).inc(0)
  const expiring = counter(registry, 'outhook_certificates_expiring_total')
  for (const days of warningDays) expiring.labels(`${days}d`).inc(0)
  const refreshGauges = registerGauges(registry, sources)

  return {
    request: countRequests(registry),
    ingest(result) {
      const tally = ingestBy.get(result)
      if (tally !== undefined) tally.value++
    },
    wrongToken: (reason) => refused.labels(reason).inc(),
    attempt: countAttempt,
    deadLetter: () => deadLetters.inc(),
    deliveryFailing: () => failing.inc(),
    endpointDisabled: ({ reason }) => disabled.labels(reason).inc(),
    endpointEnabled: ({ reason }) => enabled.labels(reason).inc(),
    certificateExpiring: ({ withinDays }) => expiring.labels(`${withinDays}d`).inc(),
    staleOutcome: () => stale.inc(),
    ...countUpkeep(registry),
    contentType: registry.contentType,
    async render() {
      await refreshGauges()
      return registry.metrics()
    },
    async snapshot() {
      await refreshGauges()
      return registry.getMetricsAsJSON() as unknown as Promise<MetricsSnapshot>
    },
  }
}

function countAttempts(registry: Registry): Metrics['attempt'] {
  const attempts = new PlainCounter(registry, describe('outhook_delivery_attempts_total'))
  const duration = histogram(registry, 'outhook_attempt_duration_seconds')
  const tallies = new Map<string, Tally>()
  return ({ status, errorClass, latencyMs }) => {
    // An HTTP status is at most three digits, so the classes are few.
    const key = `${status} ${errorClass}`
    let tally = tallies.get(key)
    if (tally === undefined) {
      tally = attempts.tally({ outcome: outcomes[status], error_class: errorClass ?? '-' })
      tallies.set(key, tally)
    }
    tally.value++
    duration.observe(latencyMs / 1000)
  }
}

function countUpkeep(
  registry: Registry,
): Pick<
  Metrics,
  'endpointPaused' | 'lostClaims' | 'targetsRepaired' | 'filtered' | 'violation' | 'retentionRun'
> {
  const pauses = counter(registry, 'outhook_endpoint_pauses_total')
  for (const reason of pauseReasons) pauses.labels(reason).inc(0)
  const lost = counter(registry, 'outhook_lost_claims_total')
  const repaired = counter(registry, 'outhook_repaired_targets_total')
  const filtered = counter(registry, 'outhook_filtered_subscriptions_total')
  const violations = counter(registry, 'outhook_payload_violations_total')
  for (const result of ['refused', 'accepted']) violations.labels(result).inc(0)
  const removedRows = counter(registry, 'outhook_retention_rows_removed_total')
  for (const kind of retentionKinds) removedRows.labels(kind).inc(0)
  const runs = histogram(registry, 'outhook_retention_run_duration_seconds', retentionBucketsSeconds)
  return {
    endpointPaused: ({ reason }) => pauses.labels(reason).inc(),
    lostClaims: ({ count }) => lost.inc(count),
    targetsRepaired: ({ count }) => repaired.inc(count),
    filtered: ({ count }) => filtered.inc(count),
    violation: ({ refused }) => violations.labels(refused ? 'refused' : 'accepted').inc(),
    retentionRun({ removed, elapsedMs }) {
      for (const kind of retentionKinds) removedRows.labels(kind).inc(removed[kind])
      runs.observe(elapsedMs / 1000)
    },
  }
}

const publishingRoutes = ['/v1/events', '/v1/events/batch']

function countRequests(registry: Registry): (request: AnsweredRequest) => void {
  const requests = new PlainCounter(registry, describe('outhook_http_requests_total'))
  const duration = histogram(registry, 'outhook_http_request_duration_seconds')
  const publishing = histogram(registry, 'outhook_publish_duration_seconds')
  const tallies = new Map<string, Tally>()
  return ({ method, route, status, elapsedMs }) => {
    const key = `${method} ${route} ${status}`
    let tally = tallies.get(key)
    if (tally === undefined) {
      tally = requests.tally({ method, route: route ?? '-', status: String(status) })
      tallies.set(key, tally)
    }
    tally.value++
    duration.observe(elapsedMs / 1000)
    const published =
      method === 'POST' && status >= 200 && status < 300 && publishingRoutes.includes(route ?? '')
    if (published) publishing.observe(elapsedMs / 1000)
  }
}

function registerGauges(registry: Registry, sources: MetricSources): () => Promise<void> {
  // What comes from the store is the same in every process: it is not added up.
  const ofStore = { registers: [registry], aggregator: 'first' as const }
  const deliveries = new Gauge({ ...describe('outhook_deliveries'), ...ofStore })
  const oldestDue = new Gauge({ ...describe('outhook_oldest_due_seconds'), ...ofStore })
  const blockedKeys = new Gauge({ ...describe('outhook_ordered_keys_blocked'), ...ofStore })
  const keyBacklog = new Gauge({ ...describe('outhook_ordered_key_backlog'), ...ofStore })
  new Gauge({ ...describe('outhook_processes'), registers: [registry] }).set(1)
  const inFlight = new Gauge({ ...describe('outhook_in_flight'), registers: [registry] })
  const dispatchers = new Gauge({ ...describe('outhook_dispatchers'), registers: [registry] })
  dispatchers.set(sources.dispatches === false ? 0 : 1)
  const build = new Gauge({ ...describe('outhook_build_info'), ...ofStore })
  if (sources.version !== undefined) build.labels(sources.version).set(1)
  const showOutboxes = registerOutboxes(registry, {
    events: describe('outhook_outbox_events_total'),
    up: describe('outhook_outbox_up'),
  })
  return async () => {
    inFlight.set(sources.inFlight())
    showOutboxes(sources.outboxes?.() ?? [])
    try {
      const counts = await sources.counts()
      for (const [state, count] of Object.entries(counts.deliveries)) deliveries.labels(state).set(count)
      oldestDue.set((counts.oldestDueMs ?? 0) / 1000)
      blockedKeys.set(counts.orderedKeys?.blocked ?? 0)
      keyBacklog.set(counts.orderedKeys?.waiting ?? 0)
    } catch {
      // The store is out of reach: an old figure would look like a new one. What the process knows is still told.
      deliveries.reset()
      for (const gauge of [oldestDue, blockedKeys, keyBacklog]) gauge.remove()
    }
  }
}

function histogram(
  registry: Registry,
  name: MetricName,
  buckets: readonly number[] = durationBucketsSeconds,
): PlainHistogram {
  return new PlainHistogram(registry, describe(name), buckets)
}

function counter(registry: Registry, name: MetricName): Counter {
  return new Counter({ ...describe(name), registers: [registry] })
}

function describe(name: MetricName): { name: string; help: string; labelNames: string[] } {
  const { help, labels } = metricTable[name]
  return { name, help, labelNames: Object.keys(labels) }
}
