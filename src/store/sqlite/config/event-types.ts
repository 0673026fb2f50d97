import { serverCatalogueId } from '../../../core/event-type.ts'
import { idToBytes } from '../../../core/ids.ts'
import { type ChangeOptions, checkVersion } from '../../../core/version.ts'
import {
  type CatalogueSize,
  catalogueProblem,
  type EventTypeRow,
  eventTypeValues,
  patched,
  planPut,
  serverVersionName,
  toEventType,
} from '../../event-type-rows.ts'
import type {
  CatalogueFull,
  EventTypeInsertion,
  EventTypePatch,
  EventTypePut,
  EventTypeStore,
  EventTypesPut,
  EventTypeUpdate,
  NewEventType,
  StoredEventType,
} from '../../port.ts'
import { Columns } from '../connection/columns.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { changeTime } from './change-time.ts'
import { raiseRoutingVersion } from './routing-version.ts'
import { isTenantDeleted } from './tenants.ts'

const values = ['description', 'type_group', 'schema', 'example', 'bytes', 'deprecated', 'mode'] as const
const newType = new Columns('tenant_id', 'name', ...values, 'created_at', 'updated_at')
const changedType = new Columns(...values, 'updated_at')

export function insertEventType(
  context: WriteContext,
  catalogueId: string,
  input: NewEventType,
): EventTypeInsertion {
  if (isTenantDeleted(context, catalogueId)) return { kind: 'tenant_deleted' }
  if (readRow(context, catalogueId, input.name) !== null) return { kind: 'name_exists' }
  const full = whyFull(context, catalogueId, [{ before: null, after: input }])
  if (full !== null) return full
  insertRow(context, catalogueId, input)
  raiseVersion(context, catalogueId)
  return { kind: 'inserted', eventType: read(context, catalogueId, input.name) as StoredEventType }
}

export function updateEventType(
  context: WriteContext,
  catalogueId: string,
  name: string,
  patch: EventTypePatch,
  options?: ChangeOptions,
): EventTypeUpdate | null {
  const before = read(context, catalogueId, name)
  if (before === null) return null
  checkVersion(before, options)
  const after = patched(before, patch)
  const full = whyFull(context, catalogueId, [{ before, after }])
  if (full !== null) return full
  updateRow(context, catalogueId, after)
  raiseVersion(context, catalogueId)
  return { kind: 'updated', eventType: read(context, catalogueId, name) as StoredEventType }
}

export function deleteEventType(
  context: WriteContext,
  catalogueId: string,
  name: string,
  options?: ChangeOptions,
): boolean {
  const before = read(context, catalogueId, name)
  if (before === null) return false
  checkVersion(before, options)
  context
    .prepare('delete from event_types where tenant_id = ? and name = ?') // primary key
    .run(idToBytes(catalogueId), name)
  raiseVersion(context, catalogueId)
  return true
}

export function putEventTypes(
  context: WriteContext,
  catalogueId: string,
  types: readonly EventTypePut[],
  { modeOfNew, dryRun }: Parameters<EventTypeStore['putEventTypes']>[2],
): EventTypesPut {
  if (isTenantDeleted(context, catalogueId)) return { kind: 'tenant_deleted' }
  const planned = types.map((put) => {
    const before = read(context, catalogueId, put.name)
    return { before, ...planPut(before, put, modeOfNew) }
  })
  const full = whyFull(
    context,
    catalogueId,
    planned.map(({ before, type }) => ({ before, after: type })),
  )
  if (full !== null) return full
  const results = planned.map(({ result }) => result)
  if (dryRun || results.every((result) => result === 'unchanged')) return { kind: 'put', results }
  for (const { result, type } of planned) {
    if (result === 'created') insertRow(context, catalogueId, type)
    if (result === 'changed') updateRow(context, catalogueId, type)
  }
  raiseVersion(context, catalogueId)
  return { kind: 'put', results }
}

function insertRow(context: WriteContext, catalogueId: string, type: NewEventType): void {
  const row = {
    tenant_id: idToBytes(catalogueId),
    name: type.name,
    ...eventTypeValues(type),
    deprecated: type.deprecated ? 1 : 0,
    created_at: context.now,
    updated_at: context.now,
  }
  context
    .prepare(`insert into event_types (${newType.names}) values (${newType.marks})`)
    .run(...newType.values(row))
}

function updateRow(context: WriteContext, catalogueId: string, type: NewEventType): void {
  const before = readRow(context, catalogueId, type.name) as EventTypeRow
  const row = {
    ...eventTypeValues(type),
    deprecated: type.deprecated ? 1 : 0,
    updated_at: changeTime(context, before),
  }
  context
    .prepare(`update event_types set ${changedType.assigned} where tenant_id = ? and name = ?`) // primary key
    .run(...changedType.values(row), before.tenant_id, type.name)
}

function raiseVersion(context: WriteContext, catalogueId: string): void {
  if (catalogueId !== serverCatalogueId) {
    raiseRoutingVersion(context, catalogueId)
    return
  }
  context
    .prepare(
      `insert into meta (name, value) values (?, '1')
       on conflict do update set value = cast(cast(value as integer) + 1 as text)`,
    )
    .run(serverVersionName)
}

interface Change {
  readonly before: StoredEventType | null
  readonly after: NewEventType
}

function whyFull(
  context: WriteContext,
  catalogueId: string,
  changes: readonly Change[],
): CatalogueFull | null {
  const { types, bytes } = context
    .prepare<CatalogueSize>(
      // primary key
      'select count(*) as types, coalesce(sum(bytes), 0) as bytes from event_types where tenant_id = ?',
    )
    .get(idToBytes(catalogueId)) as CatalogueSize
  const more = changes.reduce(
    (sum, { before, after }) =>
      sum + eventTypeValues(after).bytes - (before === null ? 0 : eventTypeValues(before).bytes),
    0,
  )
  const added = changes.filter(({ before }) => before === null).length
  // What makes it smaller is never refused.
  if (more <= 0 && added === 0) return null
  return catalogueProblem({ types: types + added, bytes: bytes + more })
}

function read(context: WriteContext, catalogueId: string, name: string): StoredEventType | null {
  const row = readRow(context, catalogueId, name)
  return row === null ? null : toEventType(row)
}

function readRow(context: WriteContext, catalogueId: string, name: string): EventTypeRow | null {
  const row = context
    .prepare<EventTypeRow>('select * from event_types where tenant_id = ? and name = ?') // primary key
    .get(idToBytes(catalogueId), name)
  return row ?? null
}
