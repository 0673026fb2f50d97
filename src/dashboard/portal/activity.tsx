/** Deliveries by the hour, as bars. */
import type { Client } from '../../client/index.ts'
import { now } from '../clock.ts'
import { type Hour, hoursOf } from './hours.ts'
import { t } from './locales.ts'
import { Heading, Shown, Table } from './parts.tsx'
import { useAsk } from './session.tsx'

const maxPages = 5
const perPage = 200
const dayMs = 86_400_000

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
  const since = new Date(now() - dayMs).toISOString()
  const deliveries = []
  let cursor: string | undefined
  for (let pages = 0; pages < maxPages; pages++) {
    const query = { since, limit: perPage, cursor, ...(endpointId !== undefined && { endpointId }) }
    const page = await server.deliveries.list(query)
    deliveries.push(...page.items)
    if (page.nextCursor === '') break
    cursor = page.nextCursor
  }
  return hoursOf(deliveries, now())
}

const height = 80
const barWidth = 10

function Bars({ hours }: { readonly hours: readonly Hour[] }) {
  const most = Math.max(1, ...hours.map(({ good, bad, open }) => good + bad + open))
  const sum = (of: 'good' | 'bad' | 'open') => hours.reduce((all, hour) => all + hour[of], 0)
  const label = t('activityOf', { good: sum('good'), bad: sum('bad'), open: sum('open') })
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
          return (['good', 'open', 'bad'] as const).map((of) => {
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
        <p class="hint">{t('activityHint', { count: maxPages * perPage })}</p>
      </figcaption>
      <details>
        <summary>{t('table')}</summary>
        <Table
          label={t('activity')}
          titles={[t('hour'), t('good'), t('bad'), t('open')]}
          rows={hours
            .filter(({ good, bad, open }) => good + bad + open > 0)
            .map(({ at, good, bad, open }) => [at, new Date(at).toLocaleTimeString(), good, bad, open])}
        />
      </details>
    </figure>
  )
}
