import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { ApiKey, Endpoint, EndpointHealth, Subscription } from '../../../core/model.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import type { HeldEndpoint, Page, PageRequest, Routing } from '../../port.ts'
import {
  type ApiKeyRow,
  type EndpointRow,
  type HealthRow,
  type SecretRow,
  type SubscriptionRow,
  toApiKey,
  toEndpoint,
  toHealth,
  toSecret,
  toSubscription,
} from '../../rows.ts'
import { endpointColumns } from '../config/endpoints.ts'
import { apiKeyColumns } from '../config/keys.ts'
import { subscriptionColumns } from '../config/subscriptions.ts'
import { type Context, now } from '../connection/context.ts'
import { optionalUuid, uuid, uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'

/** In a snapshot. */
export async function loadRouting(context: Context, tenantId: string): Promise<Routing> {
  const tenant = uuidOfId(tenantId)
  const [version] = await context.query<{ readonly routing_version: number }>(
    'routing_version',
    'select routing_version from tenants where id = $1',
    [tenant],
  )
  const endpoints = await context.query<EndpointRow>(
    'routing_endpoints',
    // endpoints_tenant
    `select ${endpointColumns} from endpoints where tenant_id = $1 and deleted_at is null order by id`,
    [tenant],
  )
  const subscriptions = await context.query<SubscriptionRow>(
    'routing_subscriptions',
    // subscriptions_tenant
    `select ${subscriptionColumns} from subscriptions where tenant_id = $1 and deleted_at is null order by id`,
    [tenant],
  )
  const secrets = await context.query<SecretRow>(
    'routing_secrets',
    // endpoints_tenant, endpoint_secrets_endpoint
    `select s.id, s.endpoint_id, s.sealed, s.created_at, s.expires_at
     from endpoints e join endpoint_secrets s on s.endpoint_id = e.id
     where e.tenant_id = $2 and e.deleted_at is null and (s.expires_at is null or s.expires_at > ${now})
     order by s.endpoint_id, s.expires_at is null desc, s.created_at desc, s.id desc`,
    [context.shiftMs, tenant],
  )
  return {
    tenantId,
    version: version?.routing_version ?? 0,
    endpoints: endpoints.map(toEndpoint),
    subscriptions: subscriptions.map(toSubscription),
    secrets: secrets.map(toSecret),
  }
}

export interface DeletedOption {
  readonly includeDeleted?: boolean
}

export async function getEndpoint(
  context: Context,
  tenantId: string,
  id: string,
  options: DeletedOption = {},
): Promise<Endpoint | null> {
  const bytes = bytesOfId(idPrefixes.endpoint, id)
  if (bytes === null) return null
  const [row] = await context.query<EndpointRow>(
    'get_endpoint',
    `select ${endpointColumns} from endpoints
     where id = $1 and tenant_id = $2 and ($3::boolean or deleted_at is null)`,
    [uuid(bytes), uuidOfId(tenantId), options.includeDeleted === true],
  )
  return row === undefined ? null : toEndpoint(row)
}

export async function getEndpointByUid(
  context: Context,
  tenantId: string,
  uid: string,
): Promise<Endpoint | null> {
  const [row] = await context.query<EndpointRow>(
    'get_endpoint_by_uid',
    // endpoints_uid
    `select ${endpointColumns} from endpoints
     where tenant_id = $1 and uid = $2 and uid is not null and deleted_at is null`,
    [uuidOfId(tenantId), uid],
  )
  return row === undefined ? null : toEndpoint(row)
}

export async function listHeldEndpoints(
  context: Context,
  ids: readonly string[],
): Promise<readonly HeldEndpoint[]> {
  const rows = await context.query<{
    readonly target_id: Uint8Array
    readonly until: number
    readonly consecutive_failures: number
  }>(
    'list_held_endpoints',
    // endpoint_state_pkey
    `select target_id, consecutive_failures, greatest(paused_until, probe_until) as until from endpoint_state
     where target_id = any ($2::uuid[]) and paused_until is not null
       and greatest(paused_until, probe_until) > ${now}`,
    [context.shiftMs, ids.map(uuidOfId)],
  )
  return rows.map(({ target_id, until, consecutive_failures }) => ({
    endpointId: bytesToId(idPrefixes.endpoint, target_id),
    state: consecutive_failures === 0 ? 'throttled' : 'paused',
    until,
  }))
}

export async function listEndpoints(
  context: Context,
  tenantId: string,
  page: PageRequest & DeletedOption,
): Promise<Page<Endpoint>> {
  const { limit, before } = readPageRequest(page)
  // endpoints_tenant
  const where = new Conditions().equal('tenant_id', uuidOfId(tenantId)).idBefore('id', optionalUuid(before))
  if (page.includeDeleted !== true) where.literal('deleted_at is null')
  const rows = await context.query<EndpointRow>(
    null,
    `select ${endpointColumns} from endpoints ${where.sql} order by id desc limit ${where.parameter(limit + 1)}`,
    where.values,
  )
  return toPage(rows, limit, toEndpoint)
}

export async function getSubscription(
  context: Context,
  tenantId: string,
  id: string,
  options: DeletedOption = {},
): Promise<Subscription | null> {
  const bytes = bytesOfId(idPrefixes.subscription, id)
  if (bytes === null) return null
  const [row] = await context.query<SubscriptionRow>(
    'get_subscription',
    `select ${subscriptionColumns} from subscriptions
     where id = $1 and tenant_id = $2 and ($3::boolean or deleted_at is null)`,
    [uuid(bytes), uuidOfId(tenantId), options.includeDeleted === true],
  )
  return row === undefined ? null : toSubscription(row)
}

export async function listSubscriptions(
  context: Context,
  tenantId: string,
  page: PageRequest & DeletedOption & { readonly endpointId?: string },
): Promise<Page<Subscription>> {
  const { limit, before } = readPageRequest(page)
  // subscriptions_endpoint, subscriptions_tenant
  const where = new Conditions().equal('tenant_id', uuidOfId(tenantId)).idBefore('id', optionalUuid(before))
  if (page.endpointId !== undefined) {
    const endpoint = bytesOfId(idPrefixes.endpoint, page.endpointId)
    if (endpoint === null) return { items: [], nextCursor: '' }
    where.equal('endpoint_id', uuid(endpoint))
  }
  if (page.includeDeleted !== true) where.literal('deleted_at is null')
  const rows = await context.query<SubscriptionRow>(
    null,
    `select ${subscriptionColumns} from subscriptions ${where.sql}
     order by id desc limit ${where.parameter(limit + 1)}`,
    where.values,
  )
  return toPage(rows, limit, toSubscription)
}

export async function listApiKeys(
  context: Context,
  tenantId: string,
  page: PageRequest & { readonly kind?: ApiKey['kind'] },
): Promise<Page<ApiKey>> {
  const { limit, before } = readPageRequest(page)
  // api_keys_tenant
  const where = new Conditions().equal('tenant_id', uuidOfId(tenantId)).idBefore('id', optionalUuid(before))
  if (page.kind !== undefined) where.equal('kind', page.kind)
  const rows = await context.query<ApiKeyRow>(
    null,
    `select ${apiKeyColumns} from api_keys ${where.sql} order by id desc limit ${where.parameter(limit + 1)}`,
    where.values,
  )
  return toPage(rows, limit, toApiKey)
}

export async function findApiKey(context: Context, hash: Uint8Array): Promise<ApiKey | null> {
  const [row] = await context.query<ApiKeyRow>(
    'find_api_key',
    // api_keys_hash
    `select ${apiKeyColumns} from api_keys where hash = $1 and revoked_at is null`,
    [Buffer.from(hash)],
  )
  return row === undefined ? null : toApiKey(row)
}

export async function loadHealth(
  context: Context,
): Promise<readonly (readonly [targetId: string, health: EndpointHealth])[]> {
  const rows = await context.query<HealthRow>(
    'load_health',
    'select target_id, consecutive_failures, failing_since, paused_until, pause_ms from endpoint_state',
    [],
  )
  return rows.map((row) => [bytesToId(idPrefixes.endpoint, row.target_id), toHealth(row)] as const)
}
