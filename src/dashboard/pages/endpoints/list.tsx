/** Where events go, and how each takes them. */
import type { Endpoint } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { goTo, hrefOf, useUrlState } from '../../kit/address.ts'
import { PageHeading } from '../../kit/detail.tsx'
import { type Column, KeysetTable, usePage } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { flag, text } from '../../kit/url-values.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { EndpointState } from './endpoint-state.tsx'
import { type LastDays, LatencyOfDay, SuccessOfDay, useLastDays } from './last-day.tsx'

const shape = { uid: text, deleted: flag, cursor: text }

const columnsOf = (days: LastDays): readonly Column<Endpoint>[] => [
  {
    title: 'Endpoint',
    cell: (one) => (
      <>
        <a href={hrefOf(pathOf('endpoints', one.id))}>{one.uid ?? one.url}</a>
        {one.uid !== null && <p class="hint">{one.url}</p>}
        {one.description !== '' && <p class="hint">{one.description}</p>}
      </>
    ),
  },
  { title: 'State', cell: (one) => <EndpointState of={one} /> },
  { title: 'Success, 24 hours', cell: (one) => <SuccessOfDay of={days.get(one.id)} /> },
  { title: 'Latency, 24 hours', cell: (one) => <LatencyOfDay of={days.get(one.id)} /> },
  { title: 'Topics', cell: (one) => <Topics of={one} /> },
  { title: 'In flight / limit', isNumber: true, cell: (one) => `${one.inFlight} / ${one.maxInFlight}` },
  { title: 'Made', cell: (one) => <Time at={one.createdAt} /> },
]

export function Page() {
  const [{ uid, deleted }, set] = useUrlState(shape)
  const page = usePage(
    `endpoints ${uid} ${deleted}`,
    (query, call) =>
      server.endpoints.list(
        { ...query, uid: uid === '' ? undefined : uid, includeDeleted: deleted || undefined },
        call,
      ),
    { everyMs: 5_000 },
  )
  const days = useLastDays(page.value?.items.map(({ id }) => id) ?? [])
  return (
    <>
      <PageHeading
        actions={
          <ActButton needs="admin" act={() => goTo('endpoints/new')}>
            New endpoint
          </ActButton>
        }
      >
        Endpoints
      </PageHeading>
      <div class="bar filters">
        <label>
          Your name for it (uid){' '}
          <input
            type="search"
            value={uid}
            onChange={({ currentTarget }) => set({ uid: currentTarget.value.trim(), cursor: '' })}
          />
        </label>
        <label>
          <input type="checkbox" checked={deleted} onChange={() => set({ deleted: !deleted, cursor: '' })} />{' '}
          with those that were deleted
        </label>
      </div>
      <KeysetTable
        label="Endpoints"
        page={page}
        keyOf={({ id }) => id}
        columns={columnsOf(days.value ?? new Map())}
        empty={
          uid === '' ? (
            'There is no endpoint yet. Make one, and what is published to its topics is sent there.'
          ) : (
            <>
              No endpoint is called {uid}. <a href={hrefOf('endpoints')}>Show all</a>
            </>
          )
        }
      />
    </>
  )
}

function Topics({ of }: { readonly of: Endpoint }) {
  if (of.topics !== null) return <>{of.topics.join(', ')}</>
  return of.subscriptionCount === 0 ? (
    <span class="hint">none: it gets no events</span>
  ) : (
    <span class="hint">{of.subscriptionCount} subscriptions</span>
  )
}
