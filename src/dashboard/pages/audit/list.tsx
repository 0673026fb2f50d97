/** Who changed what, with what it was before and is afterwards. */
import type { AuditLine, ListAuditQuery } from '../../../client/index.ts'
import { hrefOf, useUrlState } from '../../kit/address.ts'
import { PageHeading } from '../../kit/detail.tsx'
import { type Column, KeysetTable, usePage } from '../../kit/keyset-table.tsx'
import { pathOf } from '../../kit/match-path.ts'
import { SearchField } from '../../kit/search-field.tsx'
import { useSession } from '../../kit/session.ts'
import { TimeSpanFields } from '../../kit/time-span-fields.tsx'
import { oneOf, text, type ValuesOf } from '../../kit/url-values.ts'
import { server } from '../../server.ts'
import { Time } from '../../times.tsx'
import { Changes } from './changes.tsx'
import { actorWords, pathOfObject, wordsOfKind } from './words.ts'

type ActorKind = AuditLine['actor']['kind']
const actorKinds = Object.keys(actorWords) as readonly ActorKind[]

const shape = {
  action: text,
  who: oneOf(['', ...actorKinds]),
  actor: text,
  object: text,
  since: text,
  until: text,
  cursor: text,
}
type Values = ValuesOf<typeof shape>

export function Page() {
  const { tenant, isOfAllTenants } = useSession()
  const [values, set] = useUrlState(shape)
  const filter = filterOf(values)
  const page = usePage(`audit ${tenant} ${JSON.stringify(filter)}`, (query, call) =>
    server.audit.list({ ...query, ...filter }, call),
  )
  return (
    <>
      <PageHeading>Audit log</PageHeading>
      <p class="hint">
        Each change by the API, the dashboard, the command line and the library
        {isOfAllTenants ? '' : ', of this tenant alone'}. Secrets are in no line.
      </p>
      <Filters values={values} set={set} />
      <KeysetTable
        label="Audit log"
        page={page}
        keyOf={({ id }) => id}
        columns={columnsOf(values, isOfAllTenants)}
        empty={
          Object.keys(filter).length === 0 ? (
            'Nothing has been changed yet.'
          ) : (
            <>
              No change is like this. <a href={hrefOf('audit')}>Show all</a>
            </>
          )
        }
      />
    </>
  )
}

/** @param ofAll a line names its tenant then, and a link to what it is about has to. */
function columnsOf(values: Values, ofAll: boolean): readonly Column<AuditLine>[] {
  // Whoever narrows the list down keeps what it was narrowed down to before.
  const hrefWith = (chosen: Partial<Values>) => hrefOf('audit', { ...values, cursor: '', ...chosen })
  return [
    { title: 'When', cell: ({ createdAt }) => <Time at={createdAt} /> },
    ...(ofAll ? [{ title: 'Tenant', cell: tenantOf }] : []),
    {
      title: 'Who',
      cell: ({ actor: { kind, id } }) => (
        <>
          {id === null && (kind === 'admin_token' || kind === 'sign_in')
            ? `${actorWords[kind]} (token of the configuration)`
            : actorWords[kind]}
          {id !== null && (
            <>
              {' '}
              <a href={hrefWith({ actor: id })}>{id}</a>
            </>
          )}
        </>
      ),
    },
    {
      title: 'What',
      cell: ({ action }) => <a href={hrefWith({ action })}>{action}</a>,
    },
    {
      title: 'Of',
      cell: ({ object, tenantId }) => {
        const path = pathOfObject(object)
        const name = object.id ?? wordsOfKind(object.kind)
        if (path === null) return name
        return <a href={hrefOf(path, ofAll && tenantId !== null ? { tenant: tenantId } : {})}>{name}</a>
      },
    },
    { title: 'Changed', cell: (line) => <Changes of={line} /> },
  ]
}

function tenantOf({ tenantId }: AuditLine) {
  if (tenantId === null) return 'of the server'
  return <a href={hrefOf(pathOf('tenants', tenantId))}>{tenantId}</a>
}

function filterOf({ action, who, actor, object, since, until }: Values): ListAuditQuery {
  return {
    ...(action !== '' && { action }),
    ...(who !== '' && { actorKind: who }),
    ...(actor !== '' && { actorId: actor }),
    ...(object !== '' && { objectId: object }),
    ...(since !== '' && { since }),
    ...(until !== '' && { until }),
  }
}

interface FiltersProps {
  readonly values: Values
  readonly set: (values: Partial<Values>) => void
}

function Filters({ values, set }: FiltersProps) {
  const choose = (chosen: Partial<Values>) => set({ ...chosen, cursor: '' })
  return (
    <div class="bar filters">
      <TimeSpanFields since={values.since} until={values.until} onChange={choose} />
      <label>
        By{' '}
        <select
          value={values.who}
          onChange={({ currentTarget }) => choose({ who: currentTarget.value as Values['who'] })}
        >
          <option value="">anybody</option>
          {actorKinds.map((kind) => (
            <option key={kind} value={kind}>
              {actorWords[kind]}
            </option>
          ))}
        </select>
      </label>
      {(
        [
          ['actor', 'By (id)'],
          ['action', 'What (such as endpoint.*)'],
          ['object', 'Of (id)'],
        ] as const
      ).map(([name, label]) => (
        <SearchField
          key={name}
          label={label}
          value={values[name]}
          onChange={(value) => choose({ [name]: value })}
        />
      ))}
    </div>
  )
}
