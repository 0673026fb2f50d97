/** For whom events are sent. */
import type { Tenant } from '../../../client/index.ts'
import { ActButton } from '../../kit/act-button.tsx'
import { goTo, hrefOf, useUrlState } from '../../kit/address.ts'
import { Badge, PageHeading } from '../../kit/detail.tsx'
import { type Column, KeysetTable, usePage } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { text } from '../../kit/url-values.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'

const shape = { uid: text, cursor: text }

const columns: readonly Column<Tenant>[] = [
  {
    title: 'Tenant',
    cell: (one) => <a href={hrefOf(pathOf('tenants', one.id))}>{nameOf(one)}</a>,
  },
  { title: 'uid', cell: ({ uid }) => uid ?? '–' },
  {
    title: 'State',
    cell: ({ state }) => <Badge is={state === 'active' ? 'good' : 'bad'}>{state}</Badge>,
  },
  { title: 'Weight', isNumber: true, cell: ({ settings }) => settings.weight },
  { title: 'Made', cell: (one) => <Time at={one.createdAt} /> },
]

export function nameOf({ name, uid, id }: Tenant): string {
  return name === '' ? (uid ?? id) : name
}

export function Page() {
  const [{ uid }, set] = useUrlState(shape)
  const page = usePage(`tenants ${uid}`, (query, { signal }) =>
    server.tenants.list({ ...query, uid: uid === '' ? undefined : uid }, { signal }),
  )
  return (
    <>
      <PageHeading
        actions={
          <ActButton needs="admin" act={() => goTo('tenants/new')}>
            New tenant
          </ActButton>
        }
      >
        Tenants
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
      </div>
      <KeysetTable
        label="Tenants"
        page={page}
        keyOf={({ id }) => id}
        columns={columns}
        empty={
          uid === '' ? (
            'There is no tenant. Make one for each of your customers.'
          ) : (
            <>
              No tenant is called {uid}. <a href={hrefOf('tenants')}>Show all</a>
            </>
          )
        }
      />
    </>
  )
}
