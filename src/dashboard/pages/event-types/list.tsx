/** What is said of topics: of the server for all tenants, and of a tenant what holds for it. */
import type { EventType } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { goTo, hrefOf, useUrlState } from '../../kit/address.ts'
import { Badge, PageHeading } from '../../kit/detail.tsx'
import { type Column, KeysetTable, usePage } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { useSession } from '../../kit/session.ts'
import { flag, text } from '../../kit/url-values.ts'
import { server } from '../../server.ts'

const shape = { group: text, deprecated: flag, own: flag, cursor: text }

const columns: readonly Column<EventType>[] = [
  {
    title: 'Name',
    cell: ({ name }) => <a href={hrefOf(pathOf('event-types', name))}>{name}</a>,
  },
  {
    title: 'Group',
    cell: ({ group }) => (group === null ? '–' : <a href={hrefOf('event-types', { group })}>{group}</a>),
  },
  { title: 'Payloads', cell: (one) => <PayloadCheck of={one} /> },
  { title: 'Of', cell: ({ tenantId }) => (tenantId === null ? 'the server' : 'the tenant') },
  { title: 'Description', cell: ({ description }) => description.split('\n')[0] || '–' },
]

export function Page() {
  const { tenant } = useSession()
  const [{ group, deprecated, own }, set] = useUrlState(shape)
  const page = usePage(`event types ${tenant} ${group} ${deprecated} ${own}`, (query, call) =>
    server.eventTypes.list(
      {
        ...query,
        group: group === '' ? undefined : group,
        deprecated: deprecated || undefined,
        own: own || undefined,
      },
      call,
    ),
  )
  return (
    <>
      <PageHeading
        actions={
          <>
            <ActButton needs="admin" act={() => goTo('import-event-types')}>
              Import
            </ActButton>
            <ActButton needs="admin" act={() => goTo('new-event-type')}>
              New event type
            </ActButton>
          </>
        }
      >
        Event types
      </PageHeading>
      <div class="bar filters">
        <label>
          Group{' '}
          <input
            type="search"
            value={group}
            onChange={({ currentTarget }) => set({ group: currentTarget.value.trim(), cursor: '' })}
          />
        </label>
        <label>
          <input
            type="checkbox"
            checked={deprecated}
            onChange={() => set({ deprecated: !deprecated, cursor: '' })}
          />{' '}
          only deprecated ones
        </label>
        {tenant !== undefined && (
          <label>
            <input type="checkbox" checked={own} onChange={() => set({ own: !own, cursor: '' })} /> without
            those of the server
          </label>
        )}
      </div>
      <KeysetTable
        label="Event types"
        page={page}
        keyOf={({ name }) => name}
        columns={columns}
        empty={
          group === '' && !deprecated && !own ? (
            'No topic is described yet. Make an event type, or import those of an OpenAPI document.'
          ) : (
            <>
              None is like that. <a href={hrefOf('event-types')}>Show all</a>.
            </>
          )
        }
      />
    </>
  )
}

export function PayloadCheck({ of: { mode, schema, deprecated } }: { readonly of: EventType }) {
  const word = schema === null ? 'no schema' : mode === 'off' ? 'not checked' : mode
  return (
    <>
      <Badge is={mode === 'enforce' ? 'good' : 'plain'}>{word}</Badge>{' '}
      {deprecated && <Badge is="bad">deprecated</Badge>}
    </>
  )
}
