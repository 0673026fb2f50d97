/** What was sent, newest first. */
import { useState } from 'preact/hooks'
import type { Delivery } from '../../client/index.ts'
import { hrefOf } from '../kit/address.ts'
import { pathOf } from '../kit/match-path.ts'
import { t } from './locales.ts'
import { Badge, Heading, Shown, Table, Time } from './parts.tsx'
import { Recover } from './recover.tsx'
import { useSession } from './session.tsx'
import { PageButtons, usePages } from './use-pages.tsx'

const states = [
  'pending',
  'in_flight',
  'retry_scheduled',
  'succeeded',
  'dead_lettered',
  'cancelled',
  'skipped',
] as const
type State = (typeof states)[number]

export function DeliveriesPage() {
  const { can } = useSession()
  const [state, setState] = useState('')
  const [topic, setTopic] = useState('')
  return (
    <>
      <Heading>{t('deliveries')}</Heading>
      <div class="bar filters">
        <label for="state">{t('filterState')}</label>
        <select id="state" value={state} onChange={(event) => setState(event.currentTarget.value)}>
          <option value="">{t('anyState')}</option>
          {states.map((one) => (
            <option key={one} value={one}>
              {t(one)}
            </option>
          ))}
        </select>
        <label for="topic">{t('filterTopic')}</label>
        <input
          id="topic"
          type="search"
          dir="auto"
          value={topic}
          onChange={(event) => setTopic(event.currentTarget.value.trim())}
        />
      </div>
      <DeliveryTable
        filter={{ ...(state !== '' && { state: state as State }), ...(topic !== '' && { topic }) }}
      />
      {can('resend') && <Recover />}
    </>
  )
}

interface Filter {
  readonly endpointId?: string
  readonly state?: State
  readonly topic?: string
}

export function DeliveryTable({ filter }: { readonly filter: Filter }) {
  const list = usePages(`deliveries ${JSON.stringify(filter)}`, (server, query) =>
    server.deliveries.list({ ...filter, ...query }),
  )
  const isFiltered = filter.state !== undefined || filter.topic !== undefined
  return (
    <>
      <Shown of={list}>
        {({ items: deliveries }) =>
          deliveries.length === 0 ? (
            <p class="empty">{isFiltered ? t('deliveriesNone') : t('deliveriesEmpty')}</p>
          ) : (
            <Table
              label={t('deliveries')}
              titles={[t('event'), t('state'), t('attempts'), t('when')]}
              rows={deliveries.map((delivery) => [
                delivery.id,
                <a key="event" href={hrefOf(pathOf('deliveries', delivery.id))}>
                  <bdi>{delivery.topic ?? delivery.eventId}</bdi>
                </a>,
                <DeliveryState key="state" of={delivery} />,
                delivery.attemptCount,
                <Time key="when" at={delivery.createdAt} />,
              ])}
            />
          )
        }
      </Shown>
      <PageButtons of={list} />
    </>
  )
}

export function DeliveryState({ of: { state } }: { readonly of: Delivery }) {
  const is = state === 'succeeded' ? 'good' : state === 'dead_lettered' ? 'bad' : 'plain'
  return <Badge is={is}>{t(state as State)}</Badge>
}
