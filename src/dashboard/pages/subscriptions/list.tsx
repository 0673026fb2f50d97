/** Which events go to which endpoint. */
import type { Subscription } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { goTo, hrefOf, useUrlState } from '../../kit/address.ts'
import { Badge, PageHeading } from '../../kit/detail.tsx'
import { type Column, KeysetTable, usePage } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { flag, text } from '../../kit/url-values.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'

const shape = { endpoint: text, deleted: flag, cursor: text }

const columns: readonly Column<Subscription>[] = [
  {
    title: 'Topics',
    cell: (one) => <a href={hrefOf(pathOf('subscriptions', one.id))}>{one.topicPatterns.join(', ')}</a>,
  },
  { title: 'State', cell: (one) => <SubscriptionState of={one} /> },
  {
    title: 'Endpoint',
    cell: ({ endpointId }) => <a href={hrefOf(pathOf('endpoints', endpointId))}>{endpointId}</a>,
  },
  {
    title: 'Kind',
    cell: ({ own, ordered, filter }) =>
      [own && 'the endpoint’s own', ordered && 'ordered', filter !== null && 'filtered']
        .filter(Boolean)
        .join(', ') || '–',
  },
  { title: 'Made', cell: (one) => <Time at={one.createdAt} /> },
]

export function Page() {
  const [{ endpoint, deleted }, set] = useUrlState(shape)
  const page = usePage(`subscriptions ${endpoint} ${deleted}`, (query, call) =>
    server.subscriptions.list(
      { ...query, endpointId: endpoint === '' ? undefined : endpoint, includeDeleted: deleted || undefined },
      call,
    ),
  )
  return (
    <>
      <PageHeading
        actions={
          <ActButton needs="admin" act={() => goTo('subscriptions/new', { endpoint })}>
            New subscription
          </ActButton>
        }
      >
        Subscriptions
      </PageHeading>
      <div class="bar filters">
        <label>
          Endpoint (id){' '}
          <input
            type="search"
            value={endpoint}
            onChange={({ currentTarget }) => set({ endpoint: currentTarget.value.trim(), cursor: '' })}
          />
        </label>
        <label>
          <input type="checkbox" checked={deleted} onChange={() => set({ deleted: !deleted, cursor: '' })} />{' '}
          with those that were deleted
        </label>
      </div>
      <KeysetTable
        label="Subscriptions"
        page={page}
        keyOf={({ id }) => id}
        columns={columns}
        empty={
          endpoint === '' ? (
            'There is no subscription yet. An endpoint with topics has one of its own; make more to give other filters or an order.'
          ) : (
            <>
              This endpoint has none, so it gets no events. Make one, or{' '}
              <a href={hrefOf('subscriptions')}>show all</a>.
            </>
          )
        }
      />
    </>
  )
}

export function SubscriptionState({ of }: { readonly of: Subscription }) {
  if (of.deletedAt !== null) return <Badge is="plain">deleted</Badge>
  return <Badge is={of.active ? 'good' : 'plain'}>{of.active ? 'active' : 'inactive'}</Badge>
}
