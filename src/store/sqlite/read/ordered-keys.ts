import type { SQLInputValue } from 'node:sqlite'
import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import { type OrderedKeyRow, readOrderedKeyPage, toOrderedKeyPage } from '../../ordered-key-rows.ts'
import type { LineName, OrderedCounts, OrderedKey, OrderedKeyFilter, Page, PageRequest } from '../../port.ts'
import { stateOf } from '../rows/state-codes.ts'
import type { ReadContext } from './context.ts'

interface KeyRow extends Omit<OrderedKeyRow, 'head_state'> {
  readonly head_state: number
}

export function listOrderedKeys(
  context: ReadContext,
  tenantId: string,
  filter: OrderedKeyFilter,
  page: PageRequest,
): Page<OrderedKey> {
  const bounds = readOrderedKeyPage(filter, page)
  if (bounds === null) return { items: [], nextCursor: '' }
  const { limit, after, subscription } = bounds
  const conditions: string[] = []
  const values: SQLInputValue[] = []
  if (filter.blocked !== undefined) {
    conditions.push(`and o.blocked_at is ${filter.blocked ? 'not ' : ''}null`)
  }
  if (subscription !== null) {
    conditions.push('and o.subscription_id = ?')
    values.push(subscription)
  }
  if (filter.orderingKey !== undefined) {
    conditions.push('and o.ordering_key = ?')
    values.push(filter.orderingKey)
    // A seek for each subscription, not a walk over every key of the tenant: subscriptions_tenant
    if (subscription === null) {
      conditions.push('and o.subscription_id in (select id from subscriptions where tenant_id = ?)')
      values.push(idToBytes(tenantId))
    }
  }
  if (after !== null) {
    conditions.push('and (o.subscription_id, o.ordering_key) > (?, ?)')
    values.push(after.subscription, after.orderingKey)
  }
  const rows = context
    .prepare<KeyRow>(
      // ordered_keys_key or ordered_keys_blocked; primary keys, live_deliveries_line
      `select o.tenant_id, o.subscription_id, s.endpoint_id, o.ordering_key, coalesce(l.id, f.id) as head_id,
         coalesce(l.state, f.state) as head_state, o.blocked_at, o.length,
         (select w.created_at from live_deliveries w where w.line = o.line and w.k <> o.head order by w.place limit 1)
           as oldest_successor_at
       from ordered_keys o
       join subscriptions s on s.id = o.subscription_id
       left join live_deliveries l on l.k = o.head
       left join deliveries f on f.k = o.head
       where o.tenant_id = ? ${conditions.join(' ')} and coalesce(l.id, f.id) is not null
       order by o.subscription_id, o.ordering_key limit ?`,
    )
    .all(idToBytes(tenantId), ...values, limit + 1)
  return toOrderedKeyPage(
    rows.map((row) => ({ ...row, head_state: stateOf(row.head_state) })),
    limit,
  )
}

export function findHeads(
  context: ReadContext,
  tenantId: string,
  lines: readonly LineName[],
): readonly (string | null)[] {
  const statement = context.prepare<{ readonly id: Uint8Array | null }>(
    // ordered_keys_key; primary keys
    `select coalesce(l.id, f.id) as id from ordered_keys o
     left join live_deliveries l on l.k = o.head
     left join deliveries f on f.k = o.head
     where o.tenant_id = ? and o.subscription_id = ? and o.ordering_key = ?`,
  )
  return lines.map(({ subscriptionId, orderingKey }) => {
    const { id = null } = statement.get(idToBytes(tenantId), idToBytes(subscriptionId), orderingKey) ?? {}
    return id === null ? null : bytesToId(idPrefixes.delivery, id)
  })
}

export function countOrderedKeys(context: ReadContext): OrderedCounts {
  const row = context
    .prepare<{ readonly blocked: number; readonly waiting: number }>(
      // ordered_keys_blocked; all of a table with a row for each key that waits
      `select (select count(*) from ordered_keys where blocked_at is not null) as blocked,
         (select coalesce(sum(length), 0) from ordered_keys) as waiting`,
    )
    .get()
  return row as NonNullable<typeof row>
}
