import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { Endpoint } from '../../../core/model.ts'
import { type ChangeOptions, checkVersion } from '../../../core/version.ts'
import { endpointSettings, toJsonText } from '../../config-columns.ts'
import type {
  CredentialMissing,
  EndpointInsertion,
  EndpointPatch,
  EndpointUpdate,
  NewEndpoint,
  UidConflict,
} from '../../port.ts'
import { type EndpointRow, toEndpoint } from '../../rows.ts'
import { forgetBucket, replaceRate } from '../claim/rate-buckets.ts'
import { Columns } from '../connection/columns.ts'
import { forgetHealth } from '../record/target-health.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { applyEndpointChange, firstSliceRows } from './apply-changes.ts'
import { changeTime } from './change-time.ts'
import { hasCredential } from './credentials.ts'
import { disableEndpoint } from './disable-endpoint.ts'
import { insertSecret } from './insert-secret.ts'
import { addNotice } from './notices.ts'
import { raiseRoutingVersion } from './routing-version.ts'
import { insertSubscriptionRow } from './subscriptions.ts'
import { whyNoEndpoint } from './tenants.ts'

const settings = [
  'uid',
  'kind',
  'url',
  'more_urls',
  'fail_over',
  'sealed_url',
  'settings',
  'description',
  'method',
  'headers',
  'content_type',
  'timeout_ms',
  'signing_schemes',
  'max_in_flight',
  'rate_limit_rps',
  'retry_policy',
  'breaker_threshold',
  'breaker_pause_ms',
  'breaker_max_pause_ms',
  'disable_after_ms',
  'credential_id',
  'client_certificate_id',
] as const
const newEndpoint = new Columns('id', 'tenant_id', 'created_at', 'updated_at', ...settings)
const changedEndpoint = new Columns('updated_at', ...settings)

export function insertEndpoint(context: WriteContext, input: NewEndpoint): EndpointInsertion {
  const { memory, now } = context
  const { endpoint } = input
  const conflict = endpoint.uid === null ? null : findUid(context, endpoint.tenantId, endpoint.uid)
  if (conflict !== null) return conflict
  const refusal = whyNoEndpoint(context, endpoint.tenantId)
  if (refusal !== null) return refusal
  const missing = missingCredential(context, endpoint.tenantId, endpoint)
  if (missing !== null) return missing
  const row = {
    id: idToBytes(endpoint.id),
    tenant_id: memory.bytes(endpoint.tenantId),
    created_at: now,
    updated_at: now,
    ...settingsOf(endpoint),
  }
  context
    .prepare(`insert into endpoints (${newEndpoint.names}) values (${newEndpoint.marks})`)
    .run(...newEndpoint.values(row))
  if (input.secret !== null) insertSecret(context, endpoint.id, input.secret)
  if (input.subscription !== null) insertSubscriptionRow(context, input.subscription)
  raiseRoutingVersion(context, endpoint.tenantId)
  return {
    kind: 'inserted',
    endpoint: toEndpoint(readEndpoint(context, endpoint.tenantId, endpoint.id) as EndpointRow),
  }
}

export function updateEndpoint(
  context: WriteContext,
  tenantId: string,
  id: string,
  patch: EndpointPatch,
  options?: ChangeOptions,
): EndpointUpdate | null {
  const row = readEndpoint(context, tenantId, id)
  if (row === null) return null
  const before = toEndpoint(row)
  checkVersion(before, options)
  if (patch.uid !== undefined && patch.uid !== null && patch.uid !== row.uid) {
    const conflict = findUid(context, tenantId, patch.uid)
    if (conflict !== null) return conflict
  }
  const missing = missingCredential(context, tenantId, patch)
  if (missing !== null) return missing
  const after = { ...before, ...patch }
  context
    .prepare(`update endpoints set ${changedEndpoint.assigned} where id = ?`)
    .run(...changedEndpoint.values({ ...settingsOf(after), updated_at: changeTime(context, row) }), row.id)
  if (patch.ownSubscription !== undefined) putOwnSubscription(context, row, patch.ownSubscription)
  raiseRoutingVersion(context, tenantId)
  if (after.rateLimitRps !== before.rateLimitRps) {
    replaceRate(context, id, { tenantId, from: before.rateLimitRps, to: after.rateLimitRps })
  }
  if (patch.disabledReason !== undefined) {
    setDisabled(context, before, patch.disabledReason)
    const { pausedReason = null, pausedBy = null } = patch.pause ?? {}
    context
      .prepare('update endpoints set paused_reason = ?, paused_by = ? where id = ?')
      .run(pausedReason, pausedBy, row.id)
  }
  return { kind: 'updated', endpoint: toEndpoint(readEndpoint(context, tenantId, id) as EndpointRow) }
}

function settingsOf(
  endpoint: Parameters<typeof endpointSettings>[0] & Pick<Endpoint, 'credentialId' | 'clientCertificateId'>,
) {
  const bytesOf = (id: string | null) => (id === null ? null : idToBytes(id))
  return {
    ...endpointSettings(endpoint),
    fail_over: endpoint.failOver ? 1 : 0,
    credential_id: bytesOf(endpoint.credentialId),
    client_certificate_id: bytesOf(endpoint.clientCertificateId),
  }
}

function missingCredential(
  context: WriteContext,
  tenantId: string,
  {
    credentialId = null,
    clientCertificateId = null,
  }: Pick<EndpointPatch, 'credentialId' | 'clientCertificateId'>,
): CredentialMissing | null {
  const isMissing = (id: string | null) => id !== null && !hasCredential(context, tenantId, id)
  const missing = [credentialId, clientCertificateId].find(isMissing)
  return missing == null ? null : { kind: 'credential_missing', credentialId: missing }
}

function setDisabled(context: WriteContext, before: Endpoint, reason: Endpoint['disabledReason']): void {
  if (reason === before.disabledReason) return
  if (reason !== null && before.disabledReason === null) {
    disableEndpoint(context, before.id, { reason })
    return
  }
  context
    .prepare('update endpoints set disabled_reason = ?, disabled_at = ?, cleanup = ? where id = ?')
    .run(
      reason,
      reason === null ? null : context.now,
      reason === null ? 'unpark' : null,
      idToBytes(before.id),
    )
  noteChange(context, before, reason)
  context.memory.configChanged()
  if (reason !== null) return
  // What it failed with before must not disable it again at the first stumble.
  forgetHealth(context, before.id)
  applyEndpointChange(context, before.id, firstSliceRows)
}

/** From a pause by hand it becomes disabled only now, and with its end nothing recovers. */
function noteChange(context: WriteContext, before: Endpoint, reason: Endpoint['disabledReason']): void {
  const { disabledReason: was, disabledAt } = before
  const wasDisabled = was !== null && was !== 'paused'
  if (reason === null && wasDisabled) {
    addNotice(context, before.id, { topic: 'endpoint.recovered', reason: was, disabledAt })
  } else if (reason !== null && reason !== 'paused' && !wasDisabled) {
    addNotice(context, before.id, { topic: 'endpoint.disabled', reason })
  }
}

function putOwnSubscription(
  context: WriteContext,
  endpoint: EndpointRow,
  own: NonNullable<EndpointPatch['ownSubscription']>,
): void {
  const existing = context
    .prepare(
      // subscriptions_endpoint
      'select id, filter, retry_policy from subscriptions where endpoint_id = ? and own = 1 and deleted_at is null',
    )
    .get(endpoint.id)
  if (existing === undefined) {
    insertSubscriptionRow(context, {
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
    return
  }
  const filter = own.filter === undefined ? existing.filter : toJsonText(own.filter)
  const policy = own.retryPolicy === undefined ? existing.retry_policy : toJsonText(own.retryPolicy)
  context
    .prepare(
      `update subscriptions set topic_patterns = ?, filter = ?, retry_policy = ?, updated_at = max(?, updated_at + 1)
       where id = ?`,
    )
    .run(
      JSON.stringify(own.topicPatterns),
      filter as string | null,
      policy as string | null,
      context.now,
      existing.id as Uint8Array,
    )
}

export function deleteEndpoint(
  context: WriteContext,
  tenantId: string,
  id: string,
  options?: ChangeOptions,
): boolean {
  const row = readEndpoint(context, tenantId, id)
  if (row === null) return false
  checkVersion(toEndpoint(row), options)
  const { now } = context
  context
    .prepare(`update endpoints set deleted_at = ?, updated_at = ?, cleanup = 'cancel' where id = ?`)
    .run(now, changeTime(context, row), row.id)
  context
    .prepare(
      // subscriptions_endpoint
      'update subscriptions set deleted_at = ?, updated_at = ? where endpoint_id = ? and deleted_at is null',
    )
    .run(now, now, row.id)
  raiseRoutingVersion(context, tenantId)
  forgetHealth(context, id)
  forgetBucket(context, id)
  applyEndpointChange(context, id, firstSliceRows)
  return true
}

/** A live endpoint of the tenant. */
export function readEndpoint(context: WriteContext, tenantId: string, id: string): EndpointRow | null {
  const row = context
    .prepare<EndpointRow>('select * from endpoints where id = ? and tenant_id = ? and deleted_at is null')
    .get(idToBytes(id), context.memory.bytes(tenantId))
  return row ?? null
}

function findUid(context: WriteContext, tenantId: string, uid: string): UidConflict | null {
  const row = context
    .prepare(
      // endpoints_uid
      'select id from endpoints where tenant_id = ? and uid = ? and uid is not null and deleted_at is null',
    )
    .get(context.memory.bytes(tenantId), uid)
  if (row === undefined) return null
  return { kind: 'uid_exists', endpointId: bytesToId(idPrefixes.endpoint, row.id as Uint8Array) }
}
