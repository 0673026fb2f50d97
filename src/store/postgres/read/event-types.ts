import { type RoutedEventType, serverCatalogueId } from '../../../core/event-type.ts'
import {
  type EventTypeRow,
  type RoutedEventTypeRow,
  readEventTypePage,
  serverVersionName,
  toEventType,
  toEventTypePage,
  toRoutedEventType,
} from '../../event-type-rows.ts'
import type { EventTypeFilter, EventTypeStore, Page, PageRequest, StoredEventType } from '../../port.ts'
import { eventTypeColumns } from '../config/event-types.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'

const server = uuidOfId(serverCatalogueId)

export async function getEventType(
  context: Context,
  catalogueId: string,
  name: string,
): Promise<StoredEventType | null> {
  const [row] = await run(context, getStatement, { tenant: uuidOfId(catalogueId), server, name })
  return row === undefined ? null : toEventType(row)
}

const getStatement = query<EventTypeRow>()(
  'get_event_type',
  { tenant: 'uuid', server: 'uuid', name: 'text' },
  // primary key; the server's id is the greatest of all
  `select ${eventTypeColumns} from event_types where tenant_id in ($tenant, $server) and name = $name
     order by tenant_id limit 1`,
)

export async function listEventTypes(
  context: Context,
  catalogueId: string,
  { group, deprecated, own = false }: EventTypeFilter,
  page: PageRequest,
): Promise<Page<StoredEventType>> {
  const { limit, after } = readEventTypePage(page)
  const where = new Conditions()
    .give('tenant', 'uuid', uuidOfId(catalogueId))
    .give('server', 'uuid', server)
    .give('rows', 'bigint', limit + 1)
    .add('name > $after', 'after', 'text', after)
    .add('type_group = $group', 'group', 'text', group)
  if (deprecated !== undefined) where.literal(deprecated ? 'deprecated' : 'not deprecated')
  const inherited =
    own || catalogueId === serverCatalogueId
      ? ''
      : 'or tenant_id = $server and not exists (select 1 from event_types o where o.tenant_id = $tenant and o.name = t.name)'
  // primary key, twice: at most a thousand rows each
  const rows = await where.read<EventTypeRow>(
    context,
    `select ${eventTypeColumns} from event_types t where (tenant_id = $tenant ${inherited})${where.sql}
       order by name limit $rows`,
  )
  return toEventTypePage(rows, limit)
}

/** All of one catalogue, for publishing. Of what is off the schema is of no interest. */
export async function readRoutedEventTypes(context: Context, owner: string): Promise<RoutedEventType[]> {
  const rows = await run(context, routedStatement, { owner })
  return rows.map(toRoutedEventType)
}

const routedStatement = query<RoutedEventTypeRow>()(
  'routing_event_types',
  { owner: 'uuid' },
  // primary key
  `select name, mode, case when mode = 'off' then null else schema end as schema from event_types
     where tenant_id = $owner order by name`,
)

/** In a snapshot. */
export async function loadServerEventTypes(
  context: Context,
): ReturnType<EventTypeStore['loadServerEventTypes']> {
  const version = await serverEventTypesVersion(context)
  return { version, types: await readRoutedEventTypes(context, server) }
}

export async function serverEventTypesVersion(context: Context): Promise<string> {
  const [row] = await run(context, versionStatement, { name: serverVersionName })
  return row?.value ?? '0'
}

const versionStatement = query<{ readonly value: string }>()(
  'event_types_version',
  { name: 'text' },
  // primary key
  'select value from meta where name = $name',
)
