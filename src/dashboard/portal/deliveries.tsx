/** What was sent, newest first. */
import type { Delivery } from '../../client/index.ts'
import { hrefOf, useUrlState } from '../kit/address.ts'
import { deliveryStates, type DeliveryState as State } from '../kit/delivery-states.ts'
import { pathOf } from '../kit/match-path.ts'
import { oneOf, text } from '../kit/url-values.ts'
import { t } from './locales.ts'
import { Badge, Heading, Shown, Table, Time } from './parts.tsx'
import { Recover } from './recover.tsx'
import { useSession } from './session.tsx'
import { PageButtons, usePages } from './use-pages.tsx'

const states = ['', ...deliveryStates] as const
const shape = { state: oneOf(states), topic: text, cursor: text }

export function DeliveriesPage() {
  const { can } = useSession()
  const [{ state, topic }, set] = useUrlState(shape)
  return (
    <>
      <Heading>{t('deliveries')}</Heading>
      <div class="bar filters">
        <label for="state">{t('filterState')}</label>
        <select
          id="state"
          value={state}
          onChange={(event) => set({ state: event.currentTarget.value as typeof state, cursor: '' })}
        >
          {states.map((one) => (
            <option key={one} value={one}>
              {t(one === '' ? 'anyState' : one)}
            </option>
          ))}
        </select>
        <label for="topic">{t('filterTopic')}</label>
        <input
          id="topic"
          type="search"
          dir="auto"
          value={topic}
          onChange={(event) => set({ topic: event.currentTarget.value.trim(), cursor: '' })}
        />
      </div>
      <DeliveryTable filter={{ ...(state !== '' && { state }), ...(topic !== '' && { topic }) }} />
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
  return <Badge is={is}>{t(state)}</Badge>
}
