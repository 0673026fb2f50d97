/**
 * Figures over time, and the state of the system now. They are read from counts, and of deliveries only a bounded number
 * is looked at, so that they take as long however many there are; what one has read is shared for a moment with all who
 * look.
 */
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import { spans } from '../core/stats/fold.ts'
import { statsLimits } from '../core/stats/limits.ts'
import {
  type ChartSpan,
  chartSpanNames,
  chartSpans,
  inBuckets,
  rangeOf,
  type Summary,
  summarize,
  sumOf,
} from '../core/stats/series.ts'
import { unpackTally } from '../core/stats/tally.ts'
import { calendarOf } from '../core/time-line.ts'
import type { Backlog, SeenNode, StatsRow, StatsStore, StoreTime } from '../store/port.ts'
import { type FoundTrouble, findTrouble, type TroubleStore } from './find-trouble.ts'
import { checkId } from './page.ts'
import { SharedReads } from './shared-reads.ts'

/** What changes by the second, and what is seen to change by the minute. */
const nowSharedMs = 1000
const seriesSharedMs = 5000
const sizeSharedMs = 30_000

const minuteMs = 60_000
/** Whole minutes of which rates are, and those of which shares and percentiles are, with what has gone of this one. */
const rateMinutes = 1
const recentMinutes = 5
const dayHours = 24

export interface StatsOptions {
  readonly store: StatsStore & TroubleStore
  readonly nodes: { list(): Promise<readonly SeenNode[]> }
  readonly storeKind: 'sqlite' | 'postgres' | 'memory'
  readonly time: StoreTime
  readonly clock: Pick<Clock, 'elapsed'>
}

/** Times are milliseconds since the epoch. */
export interface StatsNow {
  readonly readAt: number
  /** Null: of all tenants. */
  readonly tenantId: string | null
  readonly rates: {
    readonly windowSeconds: number
    readonly eventsPerSecond: number
    /** That were delivered. */
    readonly deliveriesPerSecond: number
    readonly attemptsPerSecond: number
  }
  readonly recent: Summary & { readonly windowSeconds: number }
  readonly backlog: Backlog
  /** Of the last day. */
  readonly deadLetters: Summary['deadLetters']
  /** Empty for a tenant. */
  readonly nodes: readonly SeenNode[]
  /** Null for a tenant. */
  readonly store: { readonly kind: StatsOptions['storeKind']; readonly sizeBytes: number } | null
}

export interface StatsBucket extends Summary {
  readonly at: number
}

export interface StatsSeries {
  readonly readAt: number
  readonly span: ChartSpan
  readonly bucketSeconds: number
  /** The oldest first. The last one is not over. */
  readonly buckets: readonly StatsBucket[]
}

export interface EndpointStats {
  readonly endpointId: string
  readonly total: Summary
  readonly buckets: readonly Summary[]
}

export interface EndpointsStats {
  readonly readAt: number
  readonly from: number
  readonly bucketSeconds: number
  readonly items: readonly EndpointStats[]
}

export class Stats {
  readonly #options: StatsOptions
  readonly #shared: SharedReads

  constructor(options: StatsOptions) {
    this.#options = options
    this.#shared = new SharedReads(options.clock)
  }

  /** The state now, of a tenant or (null) of all. It may be a second old; `readAt` says when it was read. */
  now(tenantId: string | null): Promise<StatsNow> {
    return this.#shared.read(`now ${tenantId}`, nowSharedMs, () => this.#readNow(tenantId))
  }

  /** Figures over time, of a tenant, of one endpoint of it or (null) of all. Errors: invalid_request, not_found. */
  async series(
    tenantId: string | null,
    options: { readonly span?: ChartSpan; readonly endpointId?: string } = {},
  ): Promise<StatsSeries> {
    const { span = '1h', endpointId } = options
    if (!chartSpanNames.includes(span)) {
      throw new OuthookError('invalid_request', `span must be one of ${chartSpanNames.join(', ')}`)
    }
    if (endpointId !== undefined && tenantId === null) {
      throw new OuthookError('invalid_request', 'an endpoint is of a tenant; say which')
    }
    const endpointIds = endpointId === undefined ? null : [checkId(endpointId, 'ep', 'endpoint')]
    return this.#shared.read(`series ${tenantId} ${span} ${endpointId}`, seriesSharedMs, async () => {
      const { time, store } = this.#options
      const readAt = time.now()
      const { rows, ...shape } = chartSpans[span]
      const range = rangeOf(Math.floor(readAt / minuteMs), shape)
      const found = await store.readStats({ ...range, tenantId, endpointIds, span: rows })
      const buckets = inBuckets(found, range).map((tally, index) => ({
        ...summarize(tally),
        at: this.#calendar((range.from + index * range.bucket) * minuteMs),
      }))
      return { readAt: this.#calendar(readAt), span, bucketSeconds: range.bucket * 60, buckets }
    })
  }

  /** The last day of each endpoint, by the hour; of one that is not the tenant's nothing. Errors: invalid_request, not_found. */
  async ofEndpoints(tenantId: string, endpointIds: readonly string[]): Promise<EndpointsStats> {
    const ids = [...new Set(endpointIds.map((id) => checkId(id, 'ep', 'endpoint')))]
    if (endpointIds.length < 1 || endpointIds.length > statsLimits.endpoints) {
      throw new OuthookError('invalid_request', `name 1 to ${statsLimits.endpoints} endpoints`)
    }
    return this.#shared.read(`endpoints ${tenantId} ${ids.join()}`, seriesSharedMs, async () => {
      const { time, store } = this.#options
      const readAt = time.now()
      const range = rangeOf(Math.floor(readAt / minuteMs), { length: dayHours * 60, bucket: spans.hour })
      const rows = await store.readStats({ ...range, tenantId, endpointIds: ids, span: spans.hour })
      const byEndpoint = Map.groupBy(rows, ({ endpointId }) => endpointId)
      const items = ids.map((endpointId) => {
        const tallies = inBuckets(byEndpoint.get(endpointId) ?? [], range)
        return { endpointId, total: summarize(sumOf(tallies)), buckets: tallies.map(summarize) }
      })
      const from = this.#calendar(range.from * minuteMs)
      return { readAt: this.#calendar(readAt), from, bucketSeconds: spans.hour * 60, items }
    })
  }

  /** Endpoints that are not as they should be, the worst first, and why. Errors: invalid_request. */
  async trouble(
    tenantId: string | null,
    { limit = statsLimits.troubleByDefault }: { readonly limit?: number } = {},
  ): Promise<{ readonly readAt: number; readonly items: readonly FoundTrouble[] }> {
    if (!Number.isInteger(limit) || limit < 1 || limit > statsLimits.trouble) {
      throw new OuthookError(
        'invalid_request',
        `limit must be a whole number from 1 to ${statsLimits.trouble}, not ${limit}`,
      )
    }
    const all = await this.#shared.read(`trouble ${tenantId}`, nowSharedMs, async () => {
      const { store, time } = this.#options
      const now = time.now()
      const items = await findTrouble(store, { tenantId, now, recentMinutes, limit: statsLimits.trouble })
      const inCalendar = (at: number | null) => (at === null ? null : this.#calendar(at))
      return {
        readAt: this.#calendar(now),
        items: items.map((item) => ({
          ...item,
          since: inCalendar(item.since),
          until: inCalendar(item.until),
        })),
      }
    })
    return { ...all, items: all.items.slice(0, limit) }
  }

  async #readNow(tenantId: string | null): Promise<StatsNow> {
    const { store, time, nodes } = this.#options
    const readAt = time.now()
    const minute = Math.floor(readAt / minuteMs)
    const ofThis = (readAt % minuteMs) / 1000
    const read = (span: 1 | 60, from: number) =>
      store.readStats({ tenantId, endpointIds: null, span, from, to: minute + 1 })
    const hour = minute - (minute % 60)
    const [minutes, hours, backlog, seen, size] = await Promise.all([
      read(spans.minute, minute - recentMinutes),
      read(spans.hour, hour - (dayHours - 1) * 60),
      store.readBacklog(tenantId),
      tenantId === null ? nodes.list() : [],
      tenantId === null ? this.#shared.read('size', sizeSharedMs, () => store.size()) : null,
    ])
    const rated = summaryOf(minutes.filter(({ start }) => start >= minute - rateMinutes))
    const windowSeconds = rateMinutes * 60 + ofThis
    return {
      readAt: this.#calendar(readAt),
      tenantId,
      rates: {
        windowSeconds,
        eventsPerSecond: rated.events / windowSeconds,
        deliveriesPerSecond: rated.deliveries.succeeded / windowSeconds,
        attemptsPerSecond: rated.attemptCount / windowSeconds,
      },
      recent: { ...summaryOf(minutes), windowSeconds: recentMinutes * 60 + ofThis },
      backlog,
      deadLetters: summaryOf(hours).deadLetters,
      nodes: seen.map((node) => ({
        ...node,
        startedAt: this.#calendar(node.startedAt),
        seenAt: this.#calendar(node.seenAt),
      })),
      store: size === null ? null : { kind: this.#options.storeKind, sizeBytes: size },
    }
  }

  #calendar(moment: number): number {
    return calendarOf(this.#options.time.line, moment)
  }
}

function summaryOf(rows: readonly StatsRow[]): Summary {
  return summarize(sumOf(rows.map(({ tally }) => unpackTally(tally))))
}
