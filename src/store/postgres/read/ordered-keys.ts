import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { type OrderedKeyRow, readOrderedKeyPage, toOrderedKeyPage } from '../../ordered-key-rows.ts'
import type { LineName, OrderedCounts, OrderedKey, OrderedKeyFilter, Page, PageRequest } from '../../port.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'

export async function listOrderedKeys(
  context: Context,
  tenantId: string,
  filter: OrderedKeyFilter,
  page: PageRequest,
): Promise<Page<OrderedKey>> {
  const bounds = readOrderedKeyPage(filter, page)
  if (bounds === null) return { items: [], nextCursor: '' }
  const { limit, after, subscription } = bounds
  const where = new Conditions()
    .give('tenant', 'uuid', uuidOfId(tenantId))
    .give('rows', 'bigint', limit + 1)
    .add('k.subscription_id = $subscription', 'subscription', 'uuid', subscription && uuid(subscription))
    .add('k.ordering_key = $ordering_key', 'ordering_key', 'text', filter.orderingKey)
  if (filter.blocked !== undefined) where.literal(`k.blocked_at is ${filter.blocked ? 'not ' : ''}null`)
  // A seek for each subscription, not a walk over every key of the tenant: subscriptions_tenant
  if (filter.orderingKey !== undefined && subscription === null) {
    where.literal('k.subscription_id = any (array(select id from subscriptions where tenant_id = $tenant))')
  }
  if (after !== null) {
    where
      .literal('(k.subscription_id, k.ordering_key) > ($after_subscription, $after_key collate "C")')
      .give('after_subscription', 'uuid', uuid(after.subscription))
      .give('after_key', 'text', after.orderingKey)
  }
  const rows = await where.read<OrderedKeyRow>(
    context,
    // ordered_keys_key or ordered_keys_blocked; primary keys, live_deliveries_line
    `select k.tenant_id, k.subscription_id, s.endpoint_id, k.ordering_key, h.id as head_id, h.state as head_state,
       k.blocked_at, k.length,
       (select w.created_at from live_deliveries w where w.line = k.line and w.id <> h.id order by w.place limit 1)
         as oldest_successor_at
     from ordered_keys k
     cross join lateral (select endpoint_id from subscriptions s where s.id = k.subscription_id limit 1) s
     cross join lateral (
       select id, state from live_deliveries where id = k.head
       union all select id, state from deliveries where id = k.head limit 1) h
     where k.tenant_id = $tenant${where.sql} order by k.subscription_id, k.ordering_key limit $rows`,
  )
  return toOrderedKeyPage(rows, limit)
}

export async function findHeads(
  context: Context,
  tenantId: string,
  lines: readonly LineName[],
): Promise<readonly (string | null)[]> {
  const rows = await run(context, headsStatement, {
    tenant: uuidOfId(tenantId),
    subscriptions: lines.map(({ subscriptionId }) => uuidOfId(subscriptionId)),
    keys: lines.map(({ orderingKey }) => orderingKey),
  })
  const heads = new Map(rows.map(({ place, head }) => [place, bytesToId(idPrefixes.delivery, head)]))
  return lines.map((_, index) => heads.get(index + 1) ?? null)
}

const headsStatement = query<{ readonly place: number; readonly head: Uint8Array }>()(
  'find_heads',
  { tenant: 'uuid', subscriptions: 'uuid[]', keys: 'text[]' },
  // ordered_keys_key, a seek for each line
  `select given.place, k.head
   from unnest($subscriptions, $keys) with ordinality as given (subscription_id, ordering_key, place)
   cross join lateral (
     select head from ordered_keys k
     where k.tenant_id = $tenant and k.subscription_id = given.subscription_id
       and k.ordering_key = given.ordering_key collate "C" limit 1) k
   where k.head is not null`,
)

export async function countOrderedKeys(context: Context): Promise<OrderedCounts> {
  const [row] = await run(context, countStatement, {})
  return row as OrderedCounts
}

const countStatement = query<OrderedCounts>()(
  'count_ordered_keys',
  {},
  // ordered_keys_blocked; all of a table with a row for each key that waits
  `select (select count(*) from ordered_keys where blocked_at is not null) as blocked,
     (select coalesce(sum(length), 0)::bigint from ordered_keys) as waiting`,
)
