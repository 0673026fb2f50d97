import { Type } from '../../bundled/typebox.ts'
import { deliveryStates } from '../../core/model.ts'
import { nodeRoles } from '../../core/node-role.ts'
import { retryBoundsMs } from '../../core/stats/backlog.ts'
import { countedStates, outcomeClasses } from '../../core/stats/cells.ts'
import { statsLimits } from '../../core/stats/limits.ts'
import { chartSpanNames } from '../../core/stats/series.ts'
import { troubleKinds } from '../../core/stats/trouble.ts'
import { Closed, Id, Nullable, type SchemaOptions, Time } from './shapes.ts'
import { idOf, idPattern } from './text-limits.ts'

const id = idPattern('ep').slice(1, -1)

const Share = Nullable(
  Type.Number({
    minimum: 0,
    maximum: 1,
    description: 'of attempts, those that succeeded; null: there were none',
  }),
)

const Count = Type.Integer({ minimum: 0 })
const countsOf = <Name extends string>(names: readonly Name[], options: SchemaOptions = {}) =>
  Type.Object(Object.fromEntries(names.map((name) => [name, Count])) as Record<Name, typeof Count>, {
    ...options,
  })

const Milliseconds = Nullable(Type.Number({ minimum: 0 }))
const Percentiles = (what: string) =>
  Type.Object(
    { p50: Milliseconds, p99: Milliseconds },
    {
      description: `${what}, in milliseconds, as near as the buckets of a histogram say; null: nothing was measured`,
    },
  )

const endStates = countedStates.filter((state) => state !== 'published')

const DeliveryCounts = countsOf(endStates, {
  title: 'DeliveryCounts',
  description: 'deliveries that came to each state; one that is tried again comes to several',
})
const OutcomeCounts = (what: string) =>
  Type.Array(
    Type.Object(
      { outcome: Type.String({ enum: [...outcomeClasses] }), count: Count },
      { title: 'OutcomeCount' },
    ),
    { description: `${what}; outcomes that there were none of are left out` },
  )

const figures = {
  events: Type.Integer({ minimum: 0, description: 'that were published' }),
  deliveries: DeliveryCounts,
  attempts: OutcomeCounts('attempts, by how they ended'),
  success_rate: Share,
  latency_ms: Percentiles('how long one attempt took'),
  publish_to_delivered_ms: Percentiles('from publish to delivered'),
}

const SpanName = Type.String({ enum: [...chartSpanNames] })
const ReadAt = Type.String({
  format: 'date-time',
  description: 'when it was read: what many ask for is shared for a moment',
})

const Node = Type.Object(
  {
    id: Id,
    host: Type.String(),
    pid: Type.Integer(),
    role: Type.String({ enum: [...nodeRoles] }),
    version: Type.String(),
    started_at: Time,
    seen_at: Type.String({
      format: 'date-time',
      description:
        'each says every five seconds that it is there, and is left out a minute after the last time',
    }),
    in_flight: Type.Integer({ minimum: 0, description: 'requests to receivers that are open' }),
  },
  { title: 'Node' },
)

const RetriesDue = Type.Object({
  within_seconds: Nullable(Type.Integer({ description: 'and not within the one before; null: later' })),
  count: Count,
})

export const StatsBody = Type.Object(
  {
    read_at: ReadAt,
    tenant_id: Nullable(Type.String({ description: 'null: of all tenants' })),
    rates: Type.Object({
      window_seconds: Type.Number({ description: 'of which these are: the last whole minute, and this one' }),
      events_per_second: Type.Number({ description: 'that were published' }),
      deliveries_per_second: Type.Number({ description: 'that were delivered' }),
      attempts_per_second: Type.Number(),
    }),
    recent: Type.Object(
      { window_seconds: Type.Number(), ...figures },
      { title: 'RecentStats', description: 'of the last five whole minutes, and this one' },
    ),
    backlog: Type.Object({
      deliveries: countsOf(deliveryStates, {
        title: 'DeliveryStates',
        description: 'deliveries that there are, by state',
      }),
      oldest_due_seconds: Nullable(
        Type.Number({
          minimum: 0,
          description: 'for how long the oldest delivery has been due that is not in flight; null: none is',
        }),
      ),
      retries: Type.Array(RetriesDue, {
        description: `deliveries that are tried again, by when: due now, and within ${retryBoundsMs
          .slice(1)
          .map((ms) => ms / 1000)
          .join(', ')} seconds, and later`,
      }),
      retries_estimated: Type.Boolean({
        description: 'there are so many that these are what a part of them says of all',
      }),
    }),
    dead_letters: Type.Object({
      total: Type.Integer({ description: 'that there are' }),
      last_day: OutcomeCounts('those given up in the last 24 hours, by how their last attempt ended'),
    }),
    nodes: Type.Array(Node, {
      description: 'processes that work on the store, the oldest first; none where it is of one tenant',
    }),
    store: Nullable(
      Type.Object(
        {
          kind: Type.String({ enum: ['sqlite', 'postgres', 'memory'] }),
          size_bytes: Type.Integer({ description: 'on the disk, indexes and logs included, about' }),
        },
        { description: 'null: of one tenant' },
      ),
    ),
  },
  { title: 'Stats' },
)

export const SeriesQuery = Closed({
  span: Type.Optional({ ...SpanName, default: '1h', description: 'how far back' }),
  endpoint_id: Type.Optional(idOf('ep')),
})

export const SeriesBody = Type.Object(
  {
    read_at: ReadAt,
    span: SpanName,
    bucket_seconds: Type.Integer({ description: 'one minute for an hour, and more for more' }),
    buckets: Type.Array(
      Type.Object(
        { at: Type.String({ format: 'date-time', description: 'its beginning' }), ...figures },
        { title: 'StatsBucket' },
      ),
      { description: 'the oldest first, those in which nothing happened too; the last one is not over' },
    ),
  },
  { title: 'StatsSeries' },
)

export const EndpointStatsQuery = Closed({
  endpoint_ids: Type.String({
    pattern: `^${id}(?:,${id}){0,${statsLimits.endpoints - 1}}$`,
    description: `1 to ${statsLimits.endpoints} ids with commas between them`,
  }),
})

const seriesOf = (what: string) =>
  Type.Array(Type.Unsafe<number | null>({ type: ['number', 'null'] }), {
    description: `${what}, of each hour, the oldest first; null: there was nothing`,
  })

export const EndpointStatsBody = Type.Object(
  {
    read_at: ReadAt,
    from: Type.String({ format: 'date-time', description: 'the beginning of the first bucket' }),
    bucket_seconds: Type.Integer(),
    items: Type.Array(
      Type.Object(
        {
          endpoint_id: Id,
          attempt_count: Count,
          success_rate: Share,
          latency_ms: Percentiles('how long one attempt took'),
          attempt_counts: Type.Array(Count, { description: 'of each hour, the oldest first' }),
          success_rates: seriesOf('success rates'),
          latency_p50s: seriesOf('half of all attempts were no longer than this, in milliseconds'),
        },
        { title: 'EndpointStats' },
      ),
      { description: 'as they were named, each once' },
    ),
  },
  { title: 'EndpointsStats' },
)

export const TroubleQuery = Closed({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: statsLimits.trouble,
      default: statsLimits.troubleByDefault,
      description: 'endpoints at most',
    }),
  ),
})

export const TroubleBody = Type.Object(
  {
    read_at: ReadAt,
    items: Type.Array(
      Type.Object(
        {
          endpoint_id: Id,
          tenant_id: Id,
          uid: Nullable(Type.String()),
          url: Type.String(),
          description: Type.String(),
          kind: Type.String({ enum: [...troubleKinds] }),
          reason: Type.String({ description: 'for people' }),
          since: Nullable(Time),
          until: Nullable(
            Type.String({ format: 'date-time', description: 'when it is sent to again by itself' }),
          ),
          consecutive_failures: Count,
          recent_attempts: Type.Integer({ minimum: 0, description: 'in the last minutes' }),
          recent_success_rate: Share,
          recent_latency_ms: Percentiles('how long one attempt took'),
        },
        { title: 'TroubledEndpoint' },
      ),
      { description: 'the worst first' },
    ),
  },
  { title: 'Trouble' },
)
