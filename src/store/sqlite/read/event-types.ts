import { type RoutedEventType, serverCatalogueId } from '../../../core/event-type.ts'
import { idToBytes } from '../../../core/ids.ts'
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
import type { ReadContext } from './context.ts'

const server = idToBytes(serverCatalogueId)

export function getEventType(
  context: ReadContext,
  catalogueId: string,
  name: string,
): StoredEventType | null {
  const row = context
    .prepare<EventTypeRow>(
      // primary key; the server's id is the greatest of all
      'select * from event_types where tenant_id in (?, ?) and name = ? order by tenant_id limit 1',
    )
    .get(idToBytes(catalogueId), server, name)
  return row === undefined ? null : toEventType(row)
}

export function listEventTypes(
  context: ReadContext,
  catalogueId: string,
  { group, deprecated, own = false }: EventTypeFilter,
  page: PageRequest,
): Page<StoredEventType> {
  const { limit, after } = readEventTypePage(page)
  const tenant = idToBytes(catalogueId)
  const inherits = !own && catalogueId !== serverCatalogueId
  const rows = context
    .prepare<EventTypeRow>(
      // primary key, twice: at most a thousand rows each
      `select * from event_types t
       where (tenant_id = ? ${inherits ? 'or tenant_id = ? and not exists (select 1 from event_types o where o.tenant_id = ? and o.name = t.name)' : ''})
         and name > ? ${group === undefined ? '' : 'and type_group = ?'}
         ${deprecated === undefined ? '' : 'and deprecated = ?'}
       order by name limit ?`,
    )
    .all(
      tenant,
      ...(inherits ? [server, tenant] : []),
      after,
      ...(group === undefined ? [] : [group]),
      ...(deprecated === undefined ? [] : [deprecated ? 1 : 0]),
      limit + 1,
    )
  return toEventTypePage(rows, limit)
}

/** All of one catalogue, for publishing. Of what is off the schema is of no interest. */
export function readRoutedEventTypes(context: ReadContext, owner: Uint8Array): RoutedEventType[] {
  return context
    .prepare<RoutedEventTypeRow>(
      // primary key
      `select name, mode, case when mode = 'off' then null else schema end as schema from event_types
       where tenant_id = ? order by name`,
    )
    .all(owner)
    .map(toRoutedEventType)
}

export function loadServerEventTypes(
  context: ReadContext,
): Awaited<ReturnType<EventTypeStore['loadServerEventTypes']>> {
  return { version: serverEventTypesVersion(context), types: readRoutedEventTypes(context, server) }
}

export function serverEventTypesVersion(context: ReadContext): string {
  const row = context.prepare('select value from meta where name = ?').get(serverVersionName) // primary key
  return (row?.value as string | undefined) ?? '0'
}
