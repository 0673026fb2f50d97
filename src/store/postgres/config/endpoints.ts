import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { Endpoint } from '../../../core/model.ts'
import type { EndpointPatch, NewEndpoint, NewSecret, UidConflict } from '../../port.ts'
import { type EndpointRow, toEndpoint } from '../../rows.ts'
import { insertBucket, replaceRate } from '../claim/rate-buckets.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import { forgetShares, reviewShares } from '../claim/shares.ts'
import { type Context, now } from '../connection/context.ts'
import { forgetHealth } from '../record/target-health.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { disableEndpoint } from './disable-endpoint.ts'
import { raiseRoutingVersion } from './routing-version.ts'
import { firstSliceRows, settleEndpoint } from './settle.ts'
import { insertSubscriptionRow } from './subscriptions.ts'

export const endpointColumns = `id, tenant_id, uid, url, description, headers, signing_schemes, max_in_flight,
  rate_limit_rps, disabled_reason, disabled_at, created_at, updated_at, deleted_at`

export async function insertEndpoint(
  context: Context,
  input: NewEndpoint,
): Promise<{ readonly kind: 'inserted'; readonly endpoint: Endpoint } | UidConflict> {
  const { endpoint } = input
  const conflict = endpoint.uid === null ? null : await findUid(context, endpoint.tenantId, endpoint.uid)
  if (conflict !== null) return conflict
  const [row] = await context.query<EndpointRow>(
    'insert_endpoint',
    `insert into endpoints
       (id, tenant_id, uid, url, description, headers, signing_schemes, max_in_flight, rate_limit_rps, created_at,
        updated_at)
     values ($2, $3, $4, $5, $6, $7, $8, $9, $10, ${now}, ${now})
     on conflict (tenant_id, uid) where uid is not null and deleted_at is null do nothing
     returning ${endpointColumns}`,
    [
      context.shiftMs,
      uuidOfId(endpoint.id),
      uuidOfId(endpoint.tenantId),
      endpoint.uid,
      endpoint.url,
      endpoint.description,
      JSON.stringify(endpoint.headers),
      JSON.stringify(endpoint.signingSchemes),
      endpoint.maxInFlight,
      endpoint.rateLimitRps,
    ],
  )
  // Another node was first, and has committed since we looked.
  if (row === undefined) return (await findUid(context, endpoint.tenantId, endpoint.uid ?? '')) as UidConflict
  await insertSecret(context, uuid(row.id), input.secret)
  if (endpoint.rateLimitRps !== null) await insertBucket(context, row.id)
  if (input.subscription !== null) await insertSubscriptionRow(context, input.subscription)
  await raiseRoutingVersion(context, endpoint.tenantId)
  return { kind: 'inserted', endpoint: toEndpoint(row) }
}

export async function updateEndpoint(
  context: Context,
  tenantId: string,
  id: string,
  patch: EndpointPatch,
): Promise<{ readonly kind: 'updated'; readonly endpoint: Endpoint } | UidConflict | null> {
  const row = await lockEndpoint(context, tenantId, id)
  if (row === null) return null
  if (patch.uid !== undefined && patch.uid !== null && patch.uid !== row.uid) {
    const conflict = await findUid(context, tenantId, patch.uid)
    if (conflict !== null) return conflict
  }
  const before = toEndpoint(row)
  const after = { ...before, ...patch }
  await context.query(
    'update_endpoint',
    `update endpoints set uid = $3, url = $4, description = $5, headers = $6, signing_schemes = $7,
       max_in_flight = $8, rate_limit_rps = $9, updated_at = ${now}
     where id = $2`,
    [
      context.shiftMs,
      uuid(row.id),
      after.uid,
      after.url,
      after.description,
      JSON.stringify(after.headers),
      JSON.stringify(after.signingSchemes),
      after.maxInFlight,
      after.rateLimitRps,
    ],
  )
  if (patch.ownSubscription !== undefined) await putOwnSubscription(context, row, patch.ownSubscription)
  await raiseRoutingVersion(context, tenantId)
  await applyLimits(context, row, { before, after })
  if (patch.disabledReason !== undefined) await setDisabled(context, row, patch.disabledReason)
  return { kind: 'updated', endpoint: toEndpoint((await lockEndpoint(context, tenantId, id)) as EndpointRow) }
}

interface LimitChange {
  readonly before: Pick<Endpoint, 'maxInFlight' | 'rateLimitRps'>
  readonly after: Pick<Endpoint, 'maxInFlight' | 'rateLimitRps'>
}

async function applyLimits(
  context: Context,
  row: EndpointRow,
  { before, after }: LimitChange,
): Promise<void> {
  if (after.maxInFlight !== before.maxInFlight) await reviewShares(context, uuid(row.id))
  if (after.rateLimitRps === before.rateLimitRps) return
  await replaceRate(context, row.id, { from: before.rateLimitRps, to: after.rateLimitRps })
  await armReady(context, [{ target: row.id, tenant: row.tenant_id, delayMs: 0 }])
}

async function setDisabled(
  context: Context,
  before: EndpointRow,
  reason: Endpoint['disabledReason'],
): Promise<void> {
  if (reason === before.disabled_reason) return
  const endpoint = uuid(before.id)
  if (reason !== null && before.disabled_reason === null) {
    await disableEndpoint(context, endpoint, reason)
    return
  }
  await context.query(
    'set_disabled',
    `update endpoints set disabled_reason = $3, disabled_at = case when $3::text is null then null else ${now} end,
       cleanup = case when $3::text is null then 'unpark' end
     where id = $2`,
    [context.shiftMs, endpoint, reason],
  )
  if (reason !== null) return
  // What it failed with before must not disable it again at the first stumble.
  await forgetHealth(context, endpoint)
  await settleEndpoint(context, endpoint, firstSliceRows)
}

async function putOwnSubscription(
  context: Context,
  endpoint: EndpointRow,
  own: NonNullable<EndpointPatch['ownSubscription']>,
): Promise<void> {
  const policy =
    own.retryPolicy === undefined || own.retryPolicy === null ? null : JSON.stringify(own.retryPolicy)
  const updated = await context.query(
    'update_own_subscription',
    // subscriptions_endpoint
    `update subscriptions set topic_patterns = $3, updated_at = ${now},
       retry_policy = case when $5::boolean then $4::text else retry_policy end
     where endpoint_id = $2 and own and deleted_at is null returning id`,
    [
      context.shiftMs,
      uuid(endpoint.id),
      JSON.stringify(own.topicPatterns),
      policy,
      own.retryPolicy !== undefined,
    ],
  )
  if (updated.length > 0) return
  await insertSubscriptionRow(context, {
    id: own.id,
    tenantId: bytesToId(idPrefixes.tenant, endpoint.tenant_id),
    endpointId: bytesToId(idPrefixes.endpoint, endpoint.id),
    topicPatterns: own.topicPatterns,
    retryPolicy: own.retryPolicy ?? null,
    active: true,
    own: true,
  })
}

export async function deleteEndpoint(context: Context, tenantId: string, id: string): Promise<boolean> {
  const row = await lockEndpoint(context, tenantId, id)
  if (row === null) return false
  const endpoint = uuid(row.id)
  await context.query(
    'delete_endpoint',
    // primary key, subscriptions_endpoint
    `with gone as (
       update subscriptions set deleted_at = ${now}, updated_at = ${now}
       where endpoint_id = $2 and deleted_at is null
     )
     update endpoints set deleted_at = ${now}, updated_at = ${now}, cleanup = 'cancel' where id = $2`,
    [context.shiftMs, endpoint],
  )
  await raiseRoutingVersion(context, tenantId)
  await forgetHealth(context, endpoint)
  await forgetShares(context, endpoint)
  await settleEndpoint(context, endpoint, firstSliceRows)
  return true
}

export interface Rotation {
  readonly secret: NewSecret
  readonly graceMs: number
}

export async function rotateSecret(
  context: Context,
  tenantId: string,
  endpointId: string,
  rotation: Rotation,
): Promise<boolean> {
  const row = await lockEndpoint(context, tenantId, endpointId)
  if (row === null) return false
  await context.query(
    'expire_secrets',
    // endpoint_secrets_endpoint
    `update endpoint_secrets set expires_at = ${now} + $3::bigint
     where endpoint_id = $2 and (expires_at is null or expires_at > ${now} + $3::bigint)`,
    [context.shiftMs, uuid(row.id), Math.round(rotation.graceMs)],
  )
  await insertSecret(context, uuid(row.id), rotation.secret)
  await raiseRoutingVersion(context, tenantId)
  return true
}

async function insertSecret(context: Context, endpoint: string, secret: NewSecret): Promise<void> {
  await context.query(
    'insert_secret',
    `insert into endpoint_secrets (id, endpoint_id, sealed, created_at) values ($2, $3, $4, ${now})`,
    [context.shiftMs, uuidOfId(secret.id), endpoint, Buffer.from(secret.sealed)],
  )
}

/** A live endpoint of the tenant. */
async function lockEndpoint(context: Context, tenantId: string, id: string): Promise<EndpointRow | null> {
  const [row] = await context.query<EndpointRow>(
    'lock_endpoint',
    `select ${endpointColumns} from endpoints
     where id = $1 and tenant_id = $2 and deleted_at is null for no key update`,
    [uuidOfId(id), uuidOfId(tenantId)],
  )
  return row ?? null
}

async function findUid(context: Context, tenantId: string, uid: string): Promise<UidConflict | null> {
  const [row] = await context.query<{ readonly id: Uint8Array }>(
    'find_uid',
    // endpoints_uid
    'select id from endpoints where tenant_id = $1 and uid = $2 and uid is not null and deleted_at is null',
    [uuidOfId(tenantId), uid],
  )
  return row === undefined ? null : { kind: 'uid_exists', endpointId: bytesToId(idPrefixes.endpoint, row.id) }
}
