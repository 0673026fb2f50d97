/** Duplicates within one batch, and the records that earlier events left. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { EventState } from '../../../core/model.ts'
import type { NewEvent } from '../../port.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { deliveriesIn } from '../rows/fan-out.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'

export interface KnownKey {
  readonly hash: Uint8Array
  readonly eventId: string
  /** As its publish was answered. */
  readonly deliveryIds: readonly string[]
  readonly state: EventState
  readonly filteredSubscriptions: number
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

/** Events whose idempotency key a transaction that is still open has used. */
export async function findHeldKeys(
  context: Context,
  events: readonly NewEvent[],
): Promise<ReadonlySet<NewEvent>> {
  const rows = await run(context, heldKeysStatement, keyValues(events))
  return new Set(rows.map(({ nth }) => events[nth - 1] as NewEvent))
}

const keyParameters = { tenants: 'uuid[]', scopes: 'text[]', keys: 'text[]' } as const

function keyValues(events: readonly NewEvent[]) {
  return {
    tenants: events.map((event) => uuidOfId(event.tenantId)),
    scopes: events.map((event) => event.idempotency?.scope ?? ''),
    keys: events.map((event) => event.idempotency?.key ?? ''),
  }
}

const heldKeysStatement = query<{ readonly nth: number }>()(
  'held_keys',
  keyParameters,
  'select held_keys($tenants, $scopes, $keys) as nth',
)

interface KeyRow {
  readonly tenant_id: Uint8Array
  readonly scope: string
  readonly key: string
  readonly hash: Uint8Array
  readonly event_id: Uint8Array
  readonly delivery_ids: string
  readonly state: EventState
  readonly filtered: number
}

/**
 * The records of these events' keys, by key name. A statement of its own: the one that lost a key cannot see the
 * row that it lost to.
 */
export async function findIdempotencyKeys(
  context: Context,
  events: readonly NewEvent[],
): Promise<ReadonlyMap<string, KnownKey>> {
  const rows = await run(context, findKeysStatement, keyValues(events))
  return new Map(rows.map((row) => [keyName(uuid(row.tenant_id), row), toKnownKey(row)]))
}

/** None of the deliveries may be left, nor the event: keys may be kept for longer. One in the outbox has none yet. */
const findKeysStatement = query<KeyRow>()(
  'find_idempotency_keys',
  keyParameters,
  // primary keys, outbox_id
  `select k.tenant_id, k.scope, k.key, k.hash, k.event_id,
     coalesce((select string_agg(replace(d.id::text, '-', ''), ',' order by d.id)
               from events e cross join lateral ${deliveriesIn('e.fan_out')} d where e.id = k.event_id), '') as delivery_ids,
     coalesce((select filtered_subscriptions from events e where e.id = k.event_id), 0) as filtered,
     case when coalesce(
         (select e.state = 'accepted' or exists (select from fan_out_slices s where s.event_id = e.id)
          from events e where e.id = k.event_id),
         (select true from outbox x where x.id = k.event_id))
       then 'accepted' else 'fanned_out' end as state
   from unnest($tenants, $scopes, $keys) as w (tenant_id, scope, key)
   cross join lateral (
     select * from idempotency_keys t where t.tenant_id = w.tenant_id and t.scope = w.scope and t.key = w.key limit 1) k
   where k.expires_at > ${now}`,
)

function toKnownKey(row: KeyRow): KnownKey {
  const ids = row.delivery_ids === '' ? [] : row.delivery_ids.split(',')
  return {
    hash: row.hash,
    eventId: bytesToId(idPrefixes.event, row.event_id),
    state: row.state,
    filteredSubscriptions: row.filtered,
    deliveryIds: ids.map((id) => bytesToId(idPrefixes.delivery, Buffer.from(id, 'hex'))),
  }
}
