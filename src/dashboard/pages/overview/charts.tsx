/** The charts over time, with the library that draws them: a chunk of its own. */
import type { StatsSeries } from '../../../client/index.ts'
import { countText, msText, percentText, perSecondText } from '../../kit/figure-text.ts'
import { Rows } from '../../kit/keyset-table.tsx'
import { minuteFormat } from '../../kit/minute-format.ts'
import { Chart } from './chart.tsx'
import {
  type ChartLine,
  failureLines,
  latencyLines,
  rateLines,
  type Shown,
  shownBuckets,
  successLines,
  timesOf,
} from './chart-data.ts'

const perSecond = (value: number) => `${perSecondText(value)}/s`

export function Charts({ series }: { readonly series: StatsSeries }) {
  const shown = shownBuckets(series)
  const times = timesOf(shown)
  const chart = (title: string, lines: readonly ChartLine[], write: (value: number) => string) => ({
    title,
    lines,
    write,
    times,
  })
  return (
    <>
      <div class="charts">
        <Chart {...chart('Events and deliveries', rateLines(shown), perSecond)} isZeroNothing />
        <Chart
          {...chart('Success rate', successLines(shown), (value) => percentText(value / 100))}
          max={100}
        />
        <Chart
          {...chart('Attempts that failed', failureLines(shown), perSecond)}
          empty="None failed."
          isZeroNothing
        />
        <Chart
          {...chart('From publish to delivered', latencyLines(shown), msText)}
          empty="Nothing was delivered."
          isLogarithmic
        />
      </div>
      <details>
        <summary>The charts as a table</summary>
        <BucketTable shown={shown} />
      </details>
    </>
  )
}

const exact = minuteFormat('en')

/** Buckets in which something happened, the newest first. */
function BucketTable({ shown }: { readonly shown: Shown }) {
  const rows = shown
    .map(({ bucket }) => bucket)
    .filter(({ events, attempts }) => events > 0 || attempts.length > 0)
    .toReversed()
  if (rows.length === 0) return <p class="empty">Nothing was published and nothing was sent in this time.</p>
  return (
    <Rows
      label="The charts as a table"
      rows={rows}
      keyOf={({ at }) => at}
      columns={[
        { title: 'From', cell: ({ at }) => exact.format(Date.parse(at)) },
        { title: 'Events', isNumber: true, cell: ({ events }) => countText(events) },
        { title: 'Delivered', isNumber: true, cell: ({ deliveries }) => countText(deliveries.succeeded) },
        {
          title: 'To be tried again',
          isNumber: true,
          cell: ({ deliveries }) => countText(deliveries.retryScheduled),
        },
        { title: 'Given up', isNumber: true, cell: ({ deliveries }) => countText(deliveries.deadLettered) },
        { title: 'Success rate', isNumber: true, cell: ({ successRate }) => percentText(successRate) },
        { title: 'Half within', isNumber: true, cell: ({ publishToDeliveredMs: { p50 } }) => msText(p50) },
        { title: '99 % within', isNumber: true, cell: ({ publishToDeliveredMs: { p99 } }) => msText(p99) },
      ]}
    />
  )
}
