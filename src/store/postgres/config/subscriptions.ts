import type { Subscription } from '../../../core/model.ts'
import type { NewSubscription, SubscriptionPatch } from '../../port.ts'
import { type SubscriptionRow, toSubscription } from '../../rows.ts'
import { type Context, now } from '../connection/context.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { raiseRoutingVersion } from './routing-version.ts'
import { firstSliceRows, scanStart, settleSubscription } from './settle.ts'

type InsertResult =
  | { readonly kind: 'inserted'; readonly subscription: Subscription }
  | { readonly kind: 'endpoint_not_available' }

export const subscriptionColumns = `id, tenant_id, endpoint_id, topic_patterns, retry_policy, ordered, active, own,
  created_at, updated_at, deleted_at`

export async function insertSubscription(context: Context, input: NewSubscription): Promise<InsertResult> {
  const live = await context.query(
    'lock_endpoint_for_subscription',
    // primary key; a delete must come before or after, not in between
    'select id from endpoints where id = $1 and tenant_id = $2 and deleted_at is null for share',
    [uuidOfId(input.endpointId), uuidOfId(input.tenantId)],
  )
  if (live.length === 0) return { kind: 'endpoint_not_available' }
  const row = await insertSubscriptionRow(context, input)
  await raiseRoutingVersion(context, input.tenantId)
  return { kind: 'inserted', subscription: toSubscription(row) }
}

/** The row alone: the caller raises the tenant's version. */
export async function insertSubscriptionRow(
  context: Context,
  input: NewSubscription,
): Promise<SubscriptionRow> {
  const [row] = await context.query<SubscriptionRow>(
    'insert_subscription',
    `insert into subscriptions
       (id, tenant_id, endpoint_id, topic_patterns, retry_policy, ordered, active, own, created_at, updated_at)
     values ($2, $3, $4, $5, $6, $7, $8, $9, ${now}, ${now}) returning ${subscriptionColumns}`,
    [
      context.shiftMs,
      uuidOfId(input.id),
      uuidOfId(input.tenantId),
      uuidOfId(input.endpointId),
      JSON.stringify(input.topicPatterns),
      input.retryPolicy === null ? null : JSON.stringify(input.retryPolicy),
      // Without a meaning yet.
      false,
      input.active,
      input.own,
    ],
  )
  return row as SubscriptionRow
}

export async function updateSubscription(
  context: Context,
  tenantId: string,
  id: string,
  patch: SubscriptionPatch,
): Promise<Subscription | null> {
  const row = await lockSubscription(context, tenantId, id)
  if (row === null) return null
  const after = { ...toSubscription(row), ...patch }
  const [updated] = await context.query<SubscriptionRow>(
    'update_subscription',
    `update subscriptions set topic_patterns = $3, retry_policy = $4, active = $5, updated_at = ${now}
     where id = $2 returning ${subscriptionColumns}`,
    [
      context.shiftMs,
      uuid(row.id),
      JSON.stringify(after.topicPatterns),
      after.retryPolicy === null ? null : JSON.stringify(after.retryPolicy),
      after.active,
    ],
  )
  await raiseRoutingVersion(context, tenantId)
  return toSubscription(updated as SubscriptionRow)
}

export async function deleteSubscription(context: Context, tenantId: string, id: string): Promise<boolean> {
  const row = await lockSubscription(context, tenantId, id)
  if (row === null) return false
  const subscription = uuid(row.id)
  await context.query(
    'delete_subscription',
    `update subscriptions set deleted_at = ${now}, updated_at = ${now}, cleanup = $3 where id = $2`,
    [context.shiftMs, subscription, scanStart],
  )
  await raiseRoutingVersion(context, tenantId)
  for (let left = firstSliceRows; left > 0; ) {
    const { scanned, isDone } = await settleSubscription(context, subscription, left)
    if (isDone) break
    left -= 1 + scanned
  }
  return true
}

/** A live subscription of the tenant. */
async function lockSubscription(
  context: Context,
  tenantId: string,
  id: string,
): Promise<SubscriptionRow | null> {
  const [row] = await context.query<SubscriptionRow>(
    'lock_subscription',
    `select ${subscriptionColumns} from subscriptions
     where id = $1 and tenant_id = $2 and deleted_at is null for no key update`,
    [uuidOfId(id), uuidOfId(tenantId)],
  )
  return row ?? null
}
