import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { Endpoint } from '../../../core/model.ts'
import { type ChangeOptions, checkVersion } from '../../../core/version.ts'
import { toJsonText } from '../../config-columns.ts'
import type {
  EndpointInsertion,
  EndpointPatch,
  EndpointUpdate,
  NewEndpoint,
  UidConflict,
} from '../../port.ts'
import { type EndpointRow, toEndpoint } from '../../rows.ts'
import { insertBucket, replaceRate } from '../claim/rate-buckets.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import { forgetShares, reviewShares } from '../claim/shares.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { forgetHealth } from '../record/target-health.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { applyEndpointChange, firstSliceRows } from './apply-changes.ts'
import { changeTime } from './change-time.ts'
import { disableEndpoint } from './disable-endpoint.ts'
import { missingCredential, settingsOf } from './endpoint-credential.ts'
import { insertSecret } from './insert-secret.ts'
import { addNotice } from './notices.ts'
import { raiseRoutingVersion } from './routing-version.ts'
import { insertSubscriptionRow } from './subscriptions.ts'
import { whyNoEndpoint } from './tenants.ts'

const settings = {
  uid: 'text',
  kind: 'text',
  url: 'text',
  more_urls: 'text',
  fail_over: 'boolean',
  sealed_url: 'bytea',
  settings: 'text',
  description: 'text',
  method: 'text',
  headers: 'text',
  content_type: 'text',
  timeout_ms: 'integer',
  signing_schemes: 'text',
  max_in_flight: 'integer',
  rate_limit_rps: 'double precision',
  retry_policy: 'text',
  breaker_threshold: 'integer',
  breaker_pause_ms: 'bigint',
  breaker_max_pause_ms: 'bigint',
  disable_after_ms: 'bigint',
  credential_id: 'uuid',
  client_certificate_id: 'uuid',
} as const
const settingNames = Object.keys(settings)

export const endpointColumns = `id, tenant_id, ${settingNames.join(', ')}, disabled_reason, disabled_at, paused_reason,
  paused_by, created_at, updated_at, deleted_at`

export async function insertEndpoint(context: Context, input: NewEndpoint): Promise<EndpointInsertion> {
  const { endpoint } = input
  const conflict = endpoint.uid === null ? null : await findUid(context, endpoint.tenantId, endpoint.uid)
  if (conflict !== null) return conflict
  // First of all: it locks the tenant, so that those who count its endpoints do it one after the other.
  await raiseRoutingVersion(context, endpoint.tenantId)
  const refusal = await whyNoEndpoint(context, endpoint.tenantId)
  if (refusal !== null) return refusal
  const missing = await missingCredential(context, endpoint.tenantId, endpoint)
  if (missing !== null) return missing
  const [row] = await run(context, insertEndpointStatement, {
    id: uuidOfId(endpoint.id),
    tenant: uuidOfId(endpoint.tenantId),
    ...settingsOf(endpoint),
  })
  // Another node was first, and has committed since we looked.
  if (row === undefined) return (await findUid(context, endpoint.tenantId, endpoint.uid ?? '')) as UidConflict
  if (input.secret !== null) await insertSecret(context, uuid(row.id), input.secret)
  if (endpoint.rateLimitRps !== null) await insertBucket(context, uuid(row.id))
  if (input.subscription !== null) await insertSubscriptionRow(context, input.subscription)
  return { kind: 'inserted', endpoint: toEndpoint(row) }
}

const insertEndpointStatement = query<EndpointRow>()(
  'insert_endpoint',
  { id: 'uuid', tenant: 'uuid', ...settings },
  `insert into endpoints
       (id, tenant_id, created_at, updated_at, ${settingNames.join(', ')})
     values ($id, $tenant, ${now}, ${now}, ${settingNames.map((name) => `$${name}`).join(', ')})
     on conflict (tenant_id, uid) where uid is not null and deleted_at is null do nothing
     returning ${endpointColumns}`,
)

export async function updateEndpoint(
  context: Context,
  tenantId: string,
  id: string,
  patch: EndpointPatch,
  options?: ChangeOptions,
): Promise<EndpointUpdate | null> {
  const row = await lockEndpoint(context, tenantId, id)
  if (row === null) return null
  const before = toEndpoint(row)
  checkVersion(before, options)
  if (patch.uid !== undefined && patch.uid !== null && patch.uid !== row.uid) {
    const conflict = await findUid(context, tenantId, patch.uid)
    if (conflict !== null) return conflict
  }
  if (patch.credentialId != null || patch.clientCertificateId != null) {
    await raiseRoutingVersion(context, tenantId)
    const missing = await missingCredential(context, tenantId, patch)
    if (missing !== null) return missing
  }
  const after = { ...before, ...patch }
  await run(context, updateEndpointStatement, {
    id: uuid(row.id),
    ...settingsOf(after),
  })
  if (patch.ownSubscription !== undefined) await putOwnSubscription(context, row, patch.ownSubscription)
  await raiseRoutingVersion(context, tenantId)
  await applyLimits(context, row, { before, after })
  if (patch.disabledReason !== undefined) {
    await setDisabled(context, row, patch.disabledReason)
    const { pausedReason = null, pausedBy = null } = patch.pause ?? {}
    await run(context, setPauseStatement, { endpoint: uuid(row.id), reason: pausedReason, by: pausedBy })
  }
  return { kind: 'updated', endpoint: toEndpoint((await lockEndpoint(context, tenantId, id)) as EndpointRow) }
}

const updateEndpointStatement = command(
  'update_endpoint',
  { id: 'uuid', ...settings },
  `update endpoints set updated_at = ${changeTime}, ${settingNames.map((name) => `${name} = $${name}`).join(', ')}
     where id = $id`,
)

type LimitChange = Readonly<Record<'before' | 'after', Pick<Endpoint, 'maxInFlight' | 'rateLimitRps'>>>

async function applyLimits(
  context: Context,
  row: EndpointRow,
  { before, after }: LimitChange,
): Promise<void> {
  if (after.maxInFlight !== before.maxInFlight) await reviewShares(context, uuid(row.id))
  if (after.rateLimitRps === before.rateLimitRps) return
  await replaceRate(context, uuid(row.id), { from: before.rateLimitRps, to: after.rateLimitRps })
  await armReady(context, [{ target: uuid(row.id), tenant: uuid(row.tenant_id), delayMs: 0 }])
}

async function setDisabled(
  context: Context,
  before: EndpointRow,
  reason: Endpoint['disabledReason'],
): Promise<void> {
  if (reason === before.disabled_reason) return
  const endpoint = uuid(before.id)
  if (reason !== null && before.disabled_reason === null) {
    await disableEndpoint(context, endpoint, { reason })
    return
  }
  await run(context, setDisabledStatement, { endpoint: endpoint, reason: reason })
  await noteChange(context, before, reason)
  if (reason !== null) return
  // What it failed with before must not disable it again at the first stumble.
  await forgetHealth(context, endpoint)
  await applyEndpointChange(context, endpoint, firstSliceRows)
}

/** From a pause by hand it becomes disabled only now, and with its end nothing recovers. */
async function noteChange(
  context: Context,
  before: EndpointRow,
  reason: Endpoint['disabledReason'],
): Promise<void> {
  const endpoint = uuid(before.id)
  const { disabled_reason: was, disabled_at: disabledAt } = before
  const wasDisabled = was !== null && was !== 'paused'
  if (reason === null && wasDisabled) {
    await addNotice(context, endpoint, { topic: 'endpoint.recovered', reason: was, disabledAt })
  } else if (reason !== null && reason !== 'paused' && !wasDisabled) {
    await addNotice(context, endpoint, { topic: 'endpoint.disabled', reason })
  }
}

const setDisabledStatement = command(
  'set_disabled',
  { endpoint: 'uuid', reason: 'text' },
  `update endpoints set disabled_reason = $reason, disabled_at = case when $reason is null then null else ${now} end,
       cleanup = case when $reason is null then 'unpark' end
     where id = $endpoint`,
)

const setPauseStatement = command(
  'set_pause',
  { endpoint: 'uuid', reason: 'text', by: 'text' },
  'update endpoints set paused_reason = $reason, paused_by = $by where id = $endpoint',
)

async function putOwnSubscription(
  context: Context,
  endpoint: EndpointRow,
  own: NonNullable<EndpointPatch['ownSubscription']>,
): Promise<void> {
  const policy =
    own.retryPolicy === undefined || own.retryPolicy === null ? null : JSON.stringify(own.retryPolicy)
  const updated = await run(context, updateOwnSubscriptionStatement, {
    endpoint: uuid(endpoint.id),
    topic_patterns: JSON.stringify(own.topicPatterns),
    filter: toJsonText(own.filter ?? null),
    has_filter: own.filter !== undefined,
    retry_policy: policy,
    has_policy: own.retryPolicy !== undefined,
  })
  if (updated.length > 0) return
  await insertSubscriptionRow(context, {
    id: own.id,
    tenantId: bytesToId(idPrefixes.tenant, endpoint.tenant_id),
    endpointId: bytesToId(idPrefixes.endpoint, endpoint.id),
    topicPatterns: own.topicPatterns,
    filter: own.filter ?? null,
    headers: {},
    retryPolicy: own.retryPolicy ?? null,
    ordered: false,
    active: true,
    own: true,
  })
}

const updateOwnSubscriptionStatement = query<object>()(
  'update_own_subscription',
  {
    endpoint: 'uuid',
    topic_patterns: 'text',
    filter: 'text',
    has_filter: 'boolean',
    retry_policy: 'text',
    has_policy: 'boolean',
  },
  // subscriptions_endpoint
  `update subscriptions set topic_patterns = $topic_patterns, updated_at = ${changeTime},
       filter = case when $has_filter then $filter else filter end,
       retry_policy = case when $has_policy then $retry_policy else retry_policy end
     where endpoint_id = $endpoint and own and deleted_at is null returning id`,
)

export async function deleteEndpoint(
  context: Context,
  tenantId: string,
  id: string,
  options?: ChangeOptions,
): Promise<boolean> {
  const row = await lockEndpoint(context, tenantId, id)
  if (row === null) return false
  checkVersion(toEndpoint(row), options)
  const endpoint = uuid(row.id)
  await run(context, deleteEndpointStatement, { endpoint })
  await raiseRoutingVersion(context, tenantId)
  await forgetHealth(context, endpoint)
  await forgetShares(context, endpoint)
  await applyEndpointChange(context, endpoint, firstSliceRows)
  return true
}

const deleteEndpointStatement = command(
  'delete_endpoint',
  { endpoint: 'uuid' },
  // primary key, subscriptions_endpoint
  `with gone as (
       update subscriptions set deleted_at = ${now}, updated_at = ${now}
       where endpoint_id = $endpoint and deleted_at is null
     )
     update endpoints set deleted_at = ${now}, updated_at = ${changeTime}, cleanup = 'cancel' where id = $endpoint`,
)

/** A live endpoint of the tenant. */
export async function lockEndpoint(
  context: Context,
  tenantId: string,
  id: string,
): Promise<EndpointRow | null> {
  const [row] = await run(context, lockEndpointStatement, { id: uuidOfId(id), tenant: uuidOfId(tenantId) })
  return row ?? null
}

const lockEndpointStatement = query<EndpointRow>()(
  'lock_endpoint',
  { id: 'uuid', tenant: 'uuid' },
  `select ${endpointColumns} from endpoints
     where id = $id and tenant_id = $tenant and deleted_at is null for no key update`,
)

async function findUid(context: Context, tenantId: string, uid: string): Promise<UidConflict | null> {
  const [row] = await run(context, findUidStatement, { tenant: uuidOfId(tenantId), uid: uid })
  return row === undefined ? null : { kind: 'uid_exists', endpointId: bytesToId(idPrefixes.endpoint, row.id) }
}

const findUidStatement = query<{ readonly id: Uint8Array }>()(
  'find_uid',
  { tenant: 'uuid', uid: 'text' },
  // endpoints_uid
  'select id from endpoints where tenant_id = $tenant and uid = $uid and uid is not null and deleted_at is null',
)
