import { serverCatalogueId } from '../../../core/event-type.ts'
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
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { changeTime } from './change-time.ts'
import { raiseRoutingVersion } from './routing-version.ts'
import { isTenantDeleted } from './tenants.ts'

export const eventTypeColumns = `tenant_id, name, description, type_group, schema, example, deprecated, mode, created_at,
  updated_at`

/** Every change begins with the version of its catalogue, which it locks: changes of one catalogue follow one another. */
export async function insertEventType(
  context: Context,
  catalogueId: string,
  input: NewEventType,
): Promise<EventTypeInsertion> {
  if (await isTenantDeleted(context, catalogueId)) return { kind: 'tenant_deleted' }
  if ((await readTypes(context, catalogueId, [input.name])).size > 0) return { kind: 'name_exists' }
  await raiseVersion(context, catalogueId)
  // Another node may have been first, and has committed since we looked.
  if ((await readTypes(context, catalogueId, [input.name])).size > 0) return { kind: 'name_exists' }
  const full = await whyFull(context, catalogueId, [{ before: null, after: input }])
  if (full !== null) return full
  return { kind: 'inserted', eventType: await write(context, catalogueId, input) }
}

export async function updateEventType(
  context: Context,
  catalogueId: string,
  name: string,
  patch: EventTypePatch,
  options?: ChangeOptions,
): Promise<EventTypeUpdate | null> {
  const before = await lockType(context, catalogueId, name)
  if (before === null) return null
  checkVersion(before, options)
  const after = patched(before, patch)
  const full = await whyFull(context, catalogueId, [{ before, after }])
  if (full !== null) return full
  return { kind: 'updated', eventType: await write(context, catalogueId, after) }
}

export async function deleteEventType(
  context: Context,
  catalogueId: string,
  name: string,
  options?: ChangeOptions,
): Promise<boolean> {
  const before = await lockType(context, catalogueId, name)
  if (before === null) return false
  checkVersion(before, options)
  await run(context, deleteStatement, { tenant: uuidOfId(catalogueId), name })
  return true
}

const deleteStatement = command(
  'delete_event_type',
  { tenant: 'uuid', name: 'text' },
  // primary key
  'delete from event_types where tenant_id = $tenant and name = $name',
)

export async function putEventTypes(
  context: Context,
  catalogueId: string,
  types: readonly EventTypePut[],
  { modeOfNew, dryRun }: Parameters<EventTypeStore['putEventTypes']>[2],
): Promise<EventTypesPut> {
  if (await isTenantDeleted(context, catalogueId)) return { kind: 'tenant_deleted' }
  const names = types.map(({ name }) => name)
  const plan = async () => {
    const known = await readTypes(context, catalogueId, names)
    return types.map((put) => {
      const before = known.get(put.name) ?? null
      return { before, ...planPut(before, put, modeOfNew) }
    })
  }
  const isChange = (planned: Awaited<ReturnType<typeof plan>>) =>
    !dryRun && planned.some(({ result }) => result !== 'unchanged')
  let planned = await plan()
  if (isChange(planned)) {
    await raiseVersion(context, catalogueId)
    planned = await plan()
  }
  const full = await whyFull(
    context,
    catalogueId,
    planned.map(({ before, type }) => ({ before, after: type })),
  )
  if (full !== null) return full
  for (const { result, type } of isChange(planned) ? planned : []) {
    if (result !== 'unchanged') await write(context, catalogueId, type)
  }
  return { kind: 'put', results: planned.map(({ result }) => result) }
}

async function write(context: Context, catalogueId: string, type: NewEventType): Promise<StoredEventType> {
  const [row] = await run(context, writeStatement, {
    tenant: uuidOfId(catalogueId),
    name: type.name,
    deprecated: type.deprecated,
    ...eventTypeValues(type),
  })
  return toEventType(row as EventTypeRow)
}

const writeStatement = query<EventTypeRow>()(
  'write_event_type',
  {
    tenant: 'uuid',
    name: 'text',
    description: 'text',
    type_group: 'text',
    schema: 'text',
    example: 'text',
    bytes: 'bigint',
    deprecated: 'boolean',
    mode: 'text',
  },
  // primary key
  `insert into event_types as t
       (tenant_id, name, description, type_group, schema, example, bytes, deprecated, mode, created_at, updated_at)
     values ($tenant, $name, $description, $type_group, $schema, $example, $bytes, $deprecated, $mode, ${now}, ${now})
     on conflict (tenant_id, name) do update set description = $description, type_group = $type_group,
       schema = $schema, example = $example, bytes = $bytes, deprecated = $deprecated, mode = $mode,
       updated_at = ${changeTime.replace('updated_at', 't.updated_at')}
     returning ${eventTypeColumns}`,
)

async function raiseVersion(context: Context, catalogueId: string): Promise<void> {
  if (catalogueId !== serverCatalogueId) return raiseRoutingVersion(context, catalogueId)
  await run(context, raiseServerVersionStatement, { name: serverVersionName })
}

const raiseServerVersionStatement = command(
  'raise_event_types_version',
  { name: 'text' },
  // primary key
  `insert into meta as m (name, value) values ($name, '1')
     on conflict (name) do update set value = (m.value::bigint + 1)::text`,
)

interface Change {
  readonly before: StoredEventType | null
  readonly after: NewEventType
}

async function whyFull(
  context: Context,
  catalogueId: string,
  changes: readonly Change[],
): Promise<CatalogueFull | null> {
  const more = changes.reduce(
    (sum, { before, after }) =>
      sum + eventTypeValues(after).bytes - (before === null ? 0 : eventTypeValues(before).bytes),
    0,
  )
  const added = changes.filter(({ before }) => before === null).length
  // What makes it smaller is never refused.
  if (more <= 0 && added === 0) return null
  const [size] = await run(context, sizeStatement, { tenant: uuidOfId(catalogueId) })
  const { types, bytes } = size as CatalogueSize
  return catalogueProblem({ types: types + added, bytes: bytes + more })
}

const sizeStatement = query<CatalogueSize>()(
  'size_of_event_types',
  { tenant: 'uuid' },
  // primary key
  `select count(*)::bigint as types, coalesce(sum(bytes), 0)::bigint as bytes from event_types
     where tenant_id = $tenant`,
)

/** After the version of its catalogue. */
async function lockType(
  context: Context,
  catalogueId: string,
  name: string,
): Promise<StoredEventType | null> {
  if ((await readTypes(context, catalogueId, [name])).size === 0) return null
  await raiseVersion(context, catalogueId)
  return (await readTypes(context, catalogueId, [name])).get(name) ?? null
}

async function readTypes(
  context: Context,
  catalogueId: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, StoredEventType>> {
  const rows = await run(context, readStatement, { tenant: uuidOfId(catalogueId), names })
  return new Map(rows.map((row) => [row.name, toEventType(row)]))
}

const readStatement = query<EventTypeRow>()(
  'read_event_types',
  { tenant: 'uuid', names: 'text[]' },
  // primary key
  `select ${eventTypeColumns} from event_types where tenant_id = $tenant and name = any ($names)`,
)
