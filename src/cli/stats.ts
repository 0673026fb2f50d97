import { type Command, Option } from 'commander'
import type { Stats, StatsBucket, TroubledEndpoint } from '../client/generated/types.ts'
import { formatWait } from '../core/duration.ts'
import { type ChartSpan, chartSpanNames } from '../core/stats/series.ts'
import { addApiCommand } from './api-command.ts'
import { resolveEndpointFilter } from './endpoint-id.ts'
import { addIdFilter } from './filter-options.ts'
import type { CliIo } from './io.ts'
import { addNotes } from './notes.ts'
import { wholeNumber } from './option-values.ts'
import { type Column, renderTable } from './table.ts'

const buckets: readonly Column<StatsBucket>[] = [
  { title: 'FROM', value: ({ at }) => at.slice(0, 16) },
  { title: 'EVENTS', value: ({ events }) => events },
  { title: 'DELIVERED', value: ({ deliveries }) => deliveries.succeeded },
  { title: 'GIVEN UP', value: ({ deliveries }) => deliveries.deadLettered },
  { title: 'SUCCESS', value: ({ successRate }) => inPercent(successRate) },
  { title: 'P50', value: ({ publishToDeliveredMs: { p50 } }) => inWords(p50) },
  { title: 'P99', value: ({ publishToDeliveredMs: { p99 } }) => inWords(p99) },
]

const troubled: readonly Column<TroubledEndpoint>[] = [
  { title: 'ENDPOINT', kind: 'id', value: ({ endpointId }) => endpointId },
  { title: 'URL', kind: 'text', value: ({ uid, url }) => uid ?? url },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'SINCE', kind: 'age', value: ({ since }) => since },
  { title: 'WHY', kind: 'text', value: ({ reason }) => reason },
]

interface SeriesOptions {
  readonly span?: ChartSpan
  readonly endpoint?: string
}

const whose = 'Without --tenant an admin token of all tenants is told of all of them together.'

export function register(command: Command, io: CliIo): void {
  const now = addApiCommand(command, 'now', 'rates, percentiles, what waits and what was given up', io)
  addNotes(now, whose)
  now.run(async ({ client, print }) => {
    const stats = await client.stats.readNow()
    if (print.json) print.answer('Stats', stats)
    else print.object(linesOf(stats))
  })

  const series = addApiCommand(command, 'series', 'figures over time, the oldest first', io)
  series.addOption(new Option('--span <span>', 'how far back (default 1h)').choices(chartSpanNames))
  addIdFilter(series, 'endpoint', 'of this endpoint, by its id or uid')
  addNotes(series, whose)
  series.run<SeriesOptions>(async ({ client, print }, _args, options) => {
    const endpointId = await resolveEndpointFilter(client, options.endpoint)
    const found = await client.stats.readSeries({ span: options.span, endpointId })
    if (print.json) print.answer('StatsSeries', found)
    else io.print(renderTable(buckets, found.buckets, { colour: io.isTerminal, width: io.width }))
  })

  const trouble = addApiCommand(command, 'trouble', 'endpoints that are not as they should be, and why', io)
  trouble.option('--limit <number>', 'endpoints at most (default 20)', wholeNumber(1, 100))
  addNotes(trouble, whose)
  trouble.run<{ readonly limit?: number }>(async ({ client, print }, _args, { limit }) => {
    const found = await client.stats.listTrouble({ limit })
    if (print.json) print.answer('Trouble', found)
    else if (found.items.length === 0) io.print('none')
    else io.print(renderTable(troubled, found.items, { colour: io.isTerminal, width: io.width }))
  })
}

function linesOf({ rates, recent, backlog, deadLetters, nodes, store, readAt }: Stats) {
  const { deliveries, oldestDueSeconds } = backlog
  return {
    read_at: readAt,
    events_per_second: rates.eventsPerSecond,
    deliveries_per_second: rates.deliveriesPerSecond,
    success_rate: inPercent(recent.successRate),
    publish_to_delivered_p50: inWords(recent.publishToDeliveredMs.p50),
    publish_to_delivered_p99: inWords(recent.publishToDeliveredMs.p99),
    pending: deliveries.pending,
    in_flight: deliveries.inFlight,
    retries: deliveries.retryScheduled,
    oldest_due: oldestDueSeconds === null ? null : formatWait(oldestDueSeconds * 1000),
    dead_letters: deadLetters.total,
    given_up_last_day: deadLetters.lastDay.map(({ outcome, count }) => `${outcome} ${count}`),
    nodes: nodes.map(({ host, pid, role, version }) => `${host}:${pid} (${role}, ${version})`),
    store: store === null ? null : `${store.kind}, ${Math.round(store.sizeBytes / 1024)} KiB`,
  }
}

function inPercent(rate: number | null): string | null {
  return rate === null ? null : `${Math.floor(rate * 1000) / 10}%`
}

function inWords(ms: number | null): string | null {
  return ms === null ? null : formatWait(ms)
}
