/** Skips a dead letter that blocks its line, so that the next one goes. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { DeliveryState } from '../../../core/model.ts'
import type { SkipResult } from '../../port.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { settleLines, unchanged } from '../ordering/lines.ts'
import { handedOffById } from '../read/handed-off.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { countMoved, figureMoved } from './finish.ts'

/** In a transaction. */
export async function skip(
  context: Context,
  tenantId: string,
  deliveryId: string,
  reason: string,
): Promise<SkipResult> {
  const key = { id: uuidOfId(deliveryId), tenant: uuidOfId(tenantId) }
  const [row] = await run(context, lockStatement, key)
  if (row === undefined) {
    const [other] = await run(context, othersStatement, key)
    return other === undefined ? { kind: 'not_found' } : { kind: 'not_skippable', state: other.state }
  }
  if (row.state === 'skipped') {
    const [skipped] = await run(context, skippedStatement, { id: key.id })
    return { kind: 'skipped', nextHeadDeliveryId: toId(skipped?.next_head ?? null), targetId: null }
  }
  const [blocked] = row.state === 'dead_lettered' ? await run(context, lockBlockedStatement, key) : []
  if (blocked === undefined) return { kind: 'not_skippable', state: row.state }
  await run(context, skipStatement, { id: key.id, reason })
  const { line } = blocked
  const { heads, dueTargets } = await settleLines(context, [
    { ...unchanged, line, delta: -1, isUnblocked: true },
  ])
  const nextHeadDeliveryId = heads.get(line) ?? null
  await run(context, rememberStatement, {
    id: key.id,
    next_head: nextHeadDeliveryId === null ? null : uuidOfId(nextHeadDeliveryId),
  })
  return { kind: 'skipped', nextHeadDeliveryId, targetId: dueTargets[0] ?? null }
}

function toId(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : bytesToId(idPrefixes.delivery, bytes)
}

const keyParameters = { id: 'uuid', tenant: 'uuid' } as const

const lockStatement = query<{ readonly state: DeliveryState }>()(
  'skip_lock',
  keyParameters,
  // primary key
  'select state from deliveries where id = $id and tenant_id = $tenant for update',
)

const othersStatement = query<{ readonly state: DeliveryState }>()(
  'skip_others',
  keyParameters,
  // primary keys
  `select state from live_deliveries where id = $id and tenant_id = $tenant
   union all
   select state from (${handedOffById}) d`,
)

const skippedStatement = query<{ readonly next_head: Uint8Array | null }>()(
  'skip_again',
  { id: 'uuid' },
  // primary key
  'select next_head from skipped_heads where delivery_id = $id',
)

const lockBlockedStatement = query<{ readonly line: number }>()(
  'skip_line',
  keyParameters,
  // primary keys, ordered_keys_key
  `select k.line from deliveries d
   cross join lateral (select ordering_key from events e where e.id = d.event_id limit 1) e
   join ordered_keys k on k.tenant_id = d.tenant_id and k.subscription_id = d.subscription_id
     and k.ordering_key = e.ordering_key
   where d.id = $id and d.tenant_id = $tenant and k.head = d.id and k.blocked_at is not null
   for update of k`,
)

const skipStatement = command(
  'skip_delivery',
  { id: 'uuid', reason: 'text' },
  // primary key; the row is locked
  `with moved as (
     update deliveries set state = 'skipped', claim_version = claim_version + 1, last_error = $reason, updated_at = ${now}
     where id = $id returning tenant_id, endpoint_id, 'dead_lettered' as from_state, state as to_state
   ), ${figureMoved('skipped')}
   ${countMoved}`,
)

const rememberStatement = command(
  'remember_skip',
  { id: 'uuid', next_head: 'uuid' },
  'insert into skipped_heads (delivery_id, next_head) values ($id, $next_head)',
)
