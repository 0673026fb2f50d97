/**
 * The metrics of `/metrics`: every name, label and meaning in one table, from which the reference page is written too.
 * What is counted on every request and attempt are plain numbers (`plain-metrics.ts`).
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from '../bundled/prom-client.ts'
import type { AttemptStatus, DeliveryState, DisabledReason, ErrorClass } from '../core/model.ts'
import type { MetricsSnapshot } from './aggregate-metrics.ts'
import { type EventLoopLag, registerEventLoopLag } from './event-loop-lag.ts'
import { PlainCounter, PlainHistogram, type Tally } from './plain-metrics.ts'

interface MetricInfo {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: Readonly<Record<string, string>>
}

export const metricTable = {
  outhook_ingest_events_total: {
    type: 'counter',
    help: 'Events that somebody tried to publish over HTTP, by what came of it.',
    labels: { result: 'accepted, replayed, conflict, rejected, forbidden or unavailable' },
  },
  outhook_publish_duration_seconds: {
    type: 'histogram',
    help: 'Time of a request that published, from its arrival to the answer that its events are durable.',
    labels: {},
  },
  outhook_http_requests_total: {
    type: 'counter',
    help: 'Requests to this server that were answered.',
    labels: {
      method: 'such as `POST`',
      route: 'the path as `/openapi.json` has it, such as `/v1/events/{id}`; `-` where there is none',
      status: 'the status of the answer',
    },
  },
  outhook_http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time of requests to this server, from their arrival to the end of the answer.',
    labels: {},
  },
  outhook_refused_credentials_total: {
    type: 'counter',
    help: 'Requests that were refused because nobody has their token.',
    labels: {
      reason:
        '`missing` (no token), `unknown` (401) or `slowed` (429, after many unknown ones from one address)',
    },
  },
  outhook_delivery_attempts_total: {
    type: 'counter',
    help: 'Attempts whose outcome was recorded by this process.',
    labels: {
      outcome: 'success, retryable or permanent',
      error_class:
        '`-` for a success, else such as `http_503`, `timeout`, `connection`, `dns`, `tls` or `policy`',
    },
  },
  outhook_attempt_duration_seconds: {
    type: 'histogram',
    help: 'Time of one attempt, from its start to the last byte that was read.',
    labels: {},
  },
  outhook_dead_letters_total: {
    type: 'counter',
    help: 'Deliveries that this process gave up.',
    labels: {},
  },
  outhook_deliveries: {
    type: 'gauge',
    help: 'Deliveries in the store, by state. Absent while the store is out of reach.',
    labels: {
      state: 'pending, in_flight, retry_scheduled, succeeded, dead_lettered or cancelled',
    },
  },
  outhook_oldest_due_seconds: {
    type: 'gauge',
    help: 'Age of the oldest delivery that is due and not in flight; 0 when there is none. Absent while the store is out of reach.',
    labels: {},
  },
  outhook_in_flight: {
    type: 'gauge',
    help: 'Requests to receivers that this process has under way.',
    labels: {},
  },
  outhook_processes: {
    type: 'gauge',
    help: 'Processes that this answer stands for: those of `--processes` that answered, else 1.',
    labels: {},
  },
  outhook_stale_outcomes_total: {
    type: 'counter',
    help: 'Outcomes that were dropped because another worker had taken the delivery over.',
    labels: {},
  },
  outhook_endpoints_disabled_total: {
    type: 'counter',
    help: 'Endpoints that this process disabled because of how they answered.',
    labels: { reason: '`gone` (it answered 410), `failing` (it failed for too long) or `operator`' },
  },
} as const satisfies Record<string, MetricInfo>

type MetricName = keyof typeof metricTable

/** From a commit beside others, and a fast answer on the same machine, to the total timeout of an attempt, and what lies beyond it. */
const durationBucketsSeconds = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30,
]

const ingestResults = ['accepted', 'replayed', 'conflict', 'rejected', 'forbidden', 'unavailable'] as const
type IngestResult = (typeof ingestResults)[number]

const wrongTokenReasons = ['missing', 'unknown', 'slowed'] as const

const outcomes = {
  success: 'success',
  retryable_failure: 'retryable',
  permanent_failure: 'permanent',
} as const satisfies Record<AttemptStatus, string>

/** As long as a timer can wait: the monitor whose figures are not used then wakes nobody. */
const neverMs = 2 ** 31 - 1

export interface MetricSources {
  /** Deliveries by state, and the age of the oldest due one. */
  counts(): Promise<{
    readonly deliveries: Readonly<Record<DeliveryState, number>>
    readonly oldestDueMs: number | null
  }>
  /** Requests under way. */
  inFlight(): number
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
  readonly endpointDisabled: (activity: { readonly reason: DisabledReason }) => void
  readonly staleOutcome: () => void
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

  // Shown from the start: an alert on a rate misses the first of what appears out of nothing.
  const ingest = new PlainCounter(registry, describe('outhook_ingest_events_total'))
  const ingestBy = new Map(ingestResults.map((result) => [result, ingest.tally({ result })]))
  const refused = counter(registry, 'outhook_refused_credentials_total')
  for (const reason of wrongTokenReasons) refused.labels(reason).inc(0)
  const countAttempt = countAttempts(registry)
  const deadLetters = counter(registry, 'outhook_dead_letters_total')
  const stale = counter(registry, 'outhook_stale_outcomes_total')
  const disabled = counter(registry, 'outhook_endpoints_disabled_total')
  for (const reason of ['gone', 'failing'] as const) disabled.labels(reason).inc(0)
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
    endpointDisabled: ({ reason }) => disabled.labels(reason).inc(),
    staleOutcome: () => stale.inc(),
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
  new Gauge({ ...describe('outhook_processes'), registers: [registry] }).set(1)
  const inFlight = new Gauge({ ...describe('outhook_in_flight'), registers: [registry] })
  return async () => {
    inFlight.set(sources.inFlight())
    try {
      const counts = await sources.counts()
      for (const [state, count] of Object.entries(counts.deliveries)) deliveries.labels(state).set(count)
      oldestDue.set((counts.oldestDueMs ?? 0) / 1000)
    } catch {
      // The store is out of reach: an old figure would look like a new one. What the process knows is still told.
      deliveries.reset()
      oldestDue.remove()
    }
  }
}

function histogram(registry: Registry, name: MetricName): PlainHistogram {
  return new PlainHistogram(registry, describe(name), durationBucketsSeconds)
}

function counter(registry: Registry, name: MetricName): Counter {
  return new Counter({ ...describe(name), registers: [registry] })
}

function describe(name: MetricName): { name: string; help: string; labelNames: string[] } {
  const { help, labels } = metricTable[name]
  return { name, help, labelNames: Object.keys(labels) }
}

/** The reference page of the metrics, in Markdown. */
export function renderMetricsReference(): string {
  const rows = Object.entries<MetricInfo>(metricTable).map(([name, { type, help, labels }]) => {
    const about = Object.entries(labels).map(([label, values]) => `\`${label}\`: ${values}`)
    return `| \`${name}\` | ${type} | ${about.join('; ') || '–'} | ${help} |`
  })
  return `# Metrics

<!-- Written from the source by "npm run docs:reference"; do not edit. -->

\`GET /metrics\` answers in the text format of Prometheus, without credentials. Figures are those of one process,
or of all of \`--processes\` added up, unless they say that they come from the store. Node's own metrics (\`process_*\`, \`nodejs_*\`) are there too.

| name | type | labels | meaning |
|---|---|---|---|
${rows.join('\n')}
`
}
