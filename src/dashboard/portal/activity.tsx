/** What came of deliveries, by the hour, as bars. */
import type { Client } from '../../client/index.ts'
import { type Hour, hoursOf } from './hours.ts'
import { formatHour, t } from './locales.ts'
import { Heading, Shown, Table } from './parts.tsx'
import { useAsk } from './session.tsx'

export function ActivityPage() {
  return (
    <>
      <Heading>{t('activity')}</Heading>
      <ActivityChart />
    </>
  )
}

export function ActivityChart({ endpointId }: { readonly endpointId?: string }) {
  const asked = useAsk(`activity ${endpointId ?? ''}`, (server) => readHours(server, endpointId), 30_000)
  return <Shown of={asked}>{(hours) => <Bars hours={hours} />}</Shown>
}

async function readHours(server: Client, endpointId: string | undefined): Promise<readonly Hour[]> {
  const { buckets } = await server.stats.readSeries({ span: '24h', endpointId })
  return hoursOf(buckets)
}

const height = 80
const barWidth = 10

function Bars({ hours }: { readonly hours: readonly Hour[] }) {
  const most = Math.max(1, ...hours.map(({ good, bad, again }) => good + bad + again))
  const sum = (of: 'good' | 'bad' | 'again') => hours.reduce((all, hour) => all + hour[of], 0)
  const label = t('activityOf', { good: sum('good'), bad: sum('bad'), again: sum('again') })
  return (
    <figure class="activity">
      <svg
        role="img"
        aria-label={label}
        viewBox={`0 0 ${hours.length * barWidth} ${height}`}
        preserveAspectRatio="none"
      >
        {hours.map((hour, at) => {
          let top = height
          return (['good', 'again', 'bad'] as const).map((of) => {
            const size = (hour[of] / most) * height
            top -= size
            return (
              <rect
                key={`${hour.at} ${of}`}
                class={of}
                x={at * barWidth + 1}
                y={top}
                width={barWidth - 2}
                height={size}
              />
            )
          })
        })}
      </svg>
      <figcaption>
        {label}
        <p class="hint">{t('activityHint')}</p>
      </figcaption>
      <details>
        <summary>{t('table')}</summary>
        <Table
          label={t('activity')}
          titles={[t('hour'), t('good'), t('bad'), t('again')]}
          rows={hours
            .filter(({ good, bad, again }) => good + bad + again > 0)
            .map(({ at, good, bad, again }) => [at, formatHour(at), good, bad, again])}
        />
      </details>
    </figure>
  )
}
