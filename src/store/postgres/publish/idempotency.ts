/** Duplicates within one batch, and the records that earlier events left. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { NewEvent } from '../../port.ts'
import { type Context, now } from '../connection/context.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'

export interface KnownKey {
  readonly hash: Uint8Array
  readonly eventId: string
  readonly deliveryIds: readonly string[]
}

/** Names the key among all tenants and scopes; null without one. */
export function keyOf(event: NewEvent): string | null {
  const { idempotency } = event
  return idempotency === null ? null : keyName(uuidOfId(event.tenantId), idempotency)
}

function keyName(tenant: string, { scope, key }: { readonly scope: string; readonly key: string }): string {
  return `${tenant} ${scope.length} ${scope} ${key}`
}

/** The first event of each key leads; the others are answered by what becomes of it. */
export function foldDuplicates(batch: readonly NewEvent[]): {
  readonly leaders: readonly NewEvent[]
  readonly followers: ReadonlyMap<NewEvent, NewEvent>
} {
  const first = new Map<string, NewEvent>()
  const followers = new Map<NewEvent, NewEvent>()
  const leaders = batch.filter((event) => {
    const key = keyOf(event)
    if (key === null) return true
    const leader = first.get(key)
    if (leader === undefined) first.set(key, event)
    else followers.set(event, leader)
    return leader === undefined
  })
  return { leaders, followers }
}

/** Those whose key a transaction that is still open has used. */
export async function findHeldKeys(
  context: Context,
  events: readonly NewEvent[],
): Promise<ReadonlySet<NewEvent>> {
  const rows = await context.query<{ readonly place: number }>(
    'held_keys',
    'select held_keys($1::uuid[], $2::text[], $3::text[]) as place',
    [
      events.map((event) => uuidOfId(event.tenantId)),
      events.map((event) => event.idempotency?.scope ?? ''),
      events.map((event) => event.idempotency?.key ?? ''),
    ],
  )
  return new Set(rows.map(({ place }) => events[place - 1] as NewEvent))
}

interface KeyRow {
  readonly tenant_id: Uint8Array
  readonly scope: string
  readonly key: string
  readonly hash: Uint8Array
  readonly event_id: Uint8Array
  readonly delivery_ids: string
}

/**
 * The records of these events' keys, by key name. A statement of its own: the one that lost a key cannot see the
 * row that it lost to.
 */
export async function findIdempotencyKeys(
  context: Context,
  events: readonly NewEvent[],
): Promise<ReadonlyMap<string, KnownKey>> {
  const rows = await context.query<KeyRow>(
    'find_idempotency_keys',
    // primary key, then live_deliveries_event, deliveries_event
    `select k.tenant_id, k.scope, k.key, k.hash, k.event_id,
       coalesce((select string_agg(replace(d.id::text, '-', ''), ',' order by d.id) from (
         select id from live_deliveries where event_id = k.event_id
         union all select id from deliveries where event_id = k.event_id) d), '') as delivery_ids
     from unnest($2::uuid[], $3::text[], $4::text[]) as w (tenant_id, scope, key)
     join idempotency_keys k on k.tenant_id = w.tenant_id and k.scope = w.scope and k.key = w.key
     where k.expires_at > ${now}`,
    [
      context.shiftMs,
      events.map((event) => uuidOfId(event.tenantId)),
      events.map((event) => event.idempotency?.scope ?? ''),
      events.map((event) => event.idempotency?.key ?? ''),
    ],
  )
  return new Map(rows.map((row) => [keyName(uuid(row.tenant_id), row), toKnownKey(row)]))
}

function toKnownKey(row: KeyRow): KnownKey {
  const ids = row.delivery_ids === '' ? [] : row.delivery_ids.split(',')
  return {
    hash: row.hash,
    eventId: bytesToId(idPrefixes.event, row.event_id),
    deliveryIds: ids.map((id) => bytesToId(idPrefixes.delivery, Buffer.from(id, 'hex'))),
  }
}
