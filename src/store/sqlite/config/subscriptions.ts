import { idToBytes } from '../../../core/ids.ts'
import type { Subscription } from '../../../core/model.ts'
import { type ChangeOptions, checkVersion } from '../../../core/version.ts'
import { subscriptionSettings } from '../../config-columns.ts'
import type { NewSubscription, SubscriptionPatch } from '../../port.ts'
import { type SubscriptionRow, toSubscription } from '../../subscription-row.ts'
import { Columns } from '../connection/columns.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { applySubscriptionChange, firstSliceRows, scanStart } from './apply-changes.ts'
import { changeTime, touchEndpoint } from './change-time.ts'
import { raiseRoutingVersion } from './routing-version.ts'

const newSubscription = new Columns(
  'id',
  'tenant_id',
  'endpoint_id',
  'topic_patterns',
  'filter',
  'headers',
  'retry_policy',
  'ordered',
  'active',
  'own',
  'created_at',
  'updated_at',
)
const changedSubscription = new Columns(
  'topic_patterns',
  'filter',
  'headers',
  'retry_policy',
  'active',
  'updated_at',
)

type InsertResult =
  | { readonly kind: 'inserted'; readonly subscription: Subscription }
  | { readonly kind: 'endpoint_not_available' }

export function insertSubscription(context: WriteContext, input: NewSubscription): InsertResult {
  const endpoint = context.memory.endpoint(input.endpointId)
  if (endpoint === null || endpoint.deleted || endpoint.tenantId !== input.tenantId) {
    return { kind: 'endpoint_not_available' }
  }
  insertSubscriptionRow(context, input)
  raiseRoutingVersion(context, input.tenantId)
  const row = readSubscription(context, input.tenantId, input.id) as SubscriptionRow
  return { kind: 'inserted', subscription: toSubscription(row) }
}

/** The row alone: the caller raises the tenant's version. */
export function insertSubscriptionRow(context: WriteContext, input: NewSubscription): void {
  const { memory, now } = context
  const row = {
    id: idToBytes(input.id),
    tenant_id: memory.bytes(input.tenantId),
    endpoint_id: memory.bytes(input.endpointId),
    ordered: input.ordered ? 1 : 0,
    active: input.active ? 1 : 0,
    own: input.own ? 1 : 0,
    created_at: now,
    updated_at: now,
    ...subscriptionSettings(input),
  }
  context
    .prepare(`insert into subscriptions (${newSubscription.names}) values (${newSubscription.marks})`)
    .run(...newSubscription.values(row))
}

export function updateSubscription(
  context: WriteContext,
  tenantId: string,
  id: string,
  patch: SubscriptionPatch,
  options?: ChangeOptions,
): Subscription | null {
  const row = readSubscription(context, tenantId, id)
  if (row === null) return null
  const before = toSubscription(row)
  checkVersion(before, options)
  const after = { ...before, ...patch }
  const values = {
    ...subscriptionSettings(after),
    active: after.active ? 1 : 0,
    updated_at: changeTime(context, row),
  }
  context
    .prepare(`update subscriptions set ${changedSubscription.assigned} where id = ?`)
    .run(...changedSubscription.values(values), row.id)
  if (before.own) touchEndpoint(context, row.endpoint_id)
  raiseRoutingVersion(context, tenantId)
  return toSubscription(readSubscription(context, tenantId, id) as SubscriptionRow)
}

export function deleteSubscription(
  context: WriteContext,
  tenantId: string,
  id: string,
  options?: ChangeOptions,
): boolean {
  const row = readSubscription(context, tenantId, id)
  if (row === null) return false
  checkVersion(toSubscription(row), options)
  const { now } = context
  context
    .prepare('update subscriptions set deleted_at = ?, updated_at = ?, cleanup = ? where id = ?')
    .run(now, changeTime(context, row), scanStart, row.id)
  if (toSubscription(row).own) touchEndpoint(context, row.endpoint_id)
  raiseRoutingVersion(context, tenantId)
  let left = firstSliceRows
  while (left > 0 && isUnapplied(context, row.id)) left -= 1 + applySubscriptionChange(context, row.id, left)
  return true
}

function isUnapplied(context: WriteContext, id: Uint8Array): boolean {
  return (
    context.prepare('select 1 from subscriptions where id = ? and cleanup is not null').get(id) !== undefined
  )
}

/** A live subscription of the tenant. */
function readSubscription(context: WriteContext, tenantId: string, id: string): SubscriptionRow | null {
  const row = context
    .prepare<SubscriptionRow>(
      'select * from subscriptions where id = ? and tenant_id = ? and deleted_at is null',
    )
    .get(idToBytes(id), context.memory.bytes(tenantId))
  return row ?? null
}
