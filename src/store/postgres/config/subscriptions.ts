import type { Subscription } from '../../../core/model.ts'
import { type ChangeOptions, checkVersion } from '../../../core/version.ts'
import { subscriptionSettings } from '../../config-columns.ts'
import type { NewSubscription, SubscriptionPatch } from '../../port.ts'
import { type SubscriptionRow, toSubscription } from '../../subscription-row.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { applySubscriptionChange, firstSliceRows, scanStart } from './apply-changes.ts'
import { changeTime, touchEndpoint } from './change-time.ts'
import { raiseRoutingVersion } from './routing-version.ts'

type InsertResult =
  | { readonly kind: 'inserted'; readonly subscription: Subscription }
  | { readonly kind: 'endpoint_not_available' }

export const subscriptionColumns = `id, tenant_id, endpoint_id, topic_patterns, filter, headers, retry_policy, ordered, active, own,
  created_at, updated_at, deleted_at`

export async function insertSubscription(context: Context, input: NewSubscription): Promise<InsertResult> {
  const live = await run(context, lockEndpointForSubscriptionStatement, {
    id: uuidOfId(input.endpointId),
    tenant: uuidOfId(input.tenantId),
  })
  if (live.length === 0) return { kind: 'endpoint_not_available' }
  const row = await insertSubscriptionRow(context, input)
  await raiseRoutingVersion(context, input.tenantId)
  return { kind: 'inserted', subscription: toSubscription(row) }
}

const lockEndpointForSubscriptionStatement = query<object>()(
  'lock_endpoint_for_subscription',
  { id: 'uuid', tenant: 'uuid' },
  // primary key; a delete must come before or after, not in between
  'select id from endpoints where id = $id and tenant_id = $tenant and deleted_at is null for share',
)

/** The row alone: the caller raises the tenant's version. */
export async function insertSubscriptionRow(
  context: Context,
  input: NewSubscription,
): Promise<SubscriptionRow> {
  const [row] = await run(context, insertSubscriptionStatement, {
    id: uuidOfId(input.id),
    tenant: uuidOfId(input.tenantId),
    endpoint: uuidOfId(input.endpointId),
    ...subscriptionSettings(input),
    ordered: input.ordered,
    active: input.active,
    own: input.own,
  })
  return row as SubscriptionRow
}

const insertSubscriptionStatement = query<SubscriptionRow>()(
  'insert_subscription',
  {
    id: 'uuid',
    tenant: 'uuid',
    endpoint: 'uuid',
    topic_patterns: 'text',
    filter: 'text',
    headers: 'text',
    retry_policy: 'text',
    ordered: 'boolean',
    active: 'boolean',
    own: 'boolean',
  },
  `insert into subscriptions
       (id, tenant_id, endpoint_id, topic_patterns, filter, headers, retry_policy, ordered, active, own, created_at, updated_at)
     values ($id, $tenant, $endpoint, $topic_patterns, $filter, $headers, $retry_policy, $ordered, $active, $own, ${now}, ${now}) returning ${subscriptionColumns}`,
)

export async function updateSubscription(
  context: Context,
  tenantId: string,
  id: string,
  patch: SubscriptionPatch,
  options?: ChangeOptions,
): Promise<Subscription | null> {
  const row = await lockSubscription(context, tenantId, id)
  if (row === null) return null
  const before = toSubscription(row)
  checkVersion(before, options)
  const after = { ...before, ...patch }
  const [updated] = await run(context, updateSubscriptionStatement, {
    id: uuid(row.id),
    ...subscriptionSettings(after),
    active: after.active,
  })
  if (before.own) await touchEndpoint(context, row.endpoint_id)
  await raiseRoutingVersion(context, tenantId)
  return toSubscription(updated as SubscriptionRow)
}

const updateSubscriptionStatement = query<SubscriptionRow>()(
  'update_subscription',
  {
    id: 'uuid',
    topic_patterns: 'text',
    filter: 'text',
    headers: 'text',
    retry_policy: 'text',
    active: 'boolean',
  },
  `update subscriptions set topic_patterns = $topic_patterns, filter = $filter, headers = $headers,
       retry_policy = $retry_policy, active = $active, updated_at = ${changeTime}
     where id = $id returning ${subscriptionColumns}`,
)

export async function deleteSubscription(
  context: Context,
  tenantId: string,
  id: string,
  options?: ChangeOptions,
): Promise<boolean> {
  const row = await lockSubscription(context, tenantId, id)
  if (row === null) return false
  checkVersion(toSubscription(row), options)
  const subscription = uuid(row.id)
  await run(context, deleteSubscriptionStatement, { id: subscription, cleanup: scanStart })
  if (row.own) await touchEndpoint(context, row.endpoint_id)
  await raiseRoutingVersion(context, tenantId)
  for (let left = firstSliceRows; left > 0; ) {
    const { scanned, isDone } = await applySubscriptionChange(context, subscription, left)
    if (isDone) break
    left -= 1 + scanned
  }
  return true
}

const deleteSubscriptionStatement = command(
  'delete_subscription',
  { id: 'uuid', cleanup: 'text' },
  `update subscriptions set deleted_at = ${now}, updated_at = ${changeTime}, cleanup = $cleanup where id = $id`,
)

/** A live subscription of the tenant. */
async function lockSubscription(
  context: Context,
  tenantId: string,
  id: string,
): Promise<SubscriptionRow | null> {
  const [row] = await run(context, lockSubscriptionStatement, {
    id: uuidOfId(id),
    tenant: uuidOfId(tenantId),
  })
  return row ?? null
}

const lockSubscriptionStatement = query<SubscriptionRow>()(
  'lock_subscription',
  { id: 'uuid', tenant: 'uuid' },
  `select ${subscriptionColumns} from subscriptions
     where id = $id and tenant_id = $tenant and deleted_at is null for no key update`,
)
