import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { Endpoint, EndpointHealth, Subscription } from '../../../core/model.ts'
import { agedNow } from '../../../core/time-line.ts'
import { bytesOfId, type PageBounds, readPageRequest, toPage } from '../../cursors.ts'
import type { FailingEndpoint, HeldEndpoint, Page, PageRequest, Routing } from '../../port.ts'
import {
  type EndpointRow,
  type HealthRow,
  type SecretRow,
  toEndpoint,
  toHealth,
  toSecret,
} from '../../rows.ts'
import { type SubscriptionRow, toSubscription } from '../../subscription-row.ts'
import { type RoutedTenantRow, toRoutedTenant } from '../../tenant-row.ts'
import { endpointColumns } from '../config/endpoints.ts'
import { subscriptionColumns } from '../config/subscriptions.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { optionalUuid, uuid, uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'
import { readRoutedCredentials } from './credentials.ts'
import { readRoutedEventTypes } from './event-types.ts'

function pageOf(tenantId: string, { limit, before }: PageBounds): Conditions {
  return new Conditions()
    .give('tenant', 'uuid', uuidOfId(tenantId))
    .give('rows', 'bigint', limit + 1)
    .add('id < $before', 'before', 'uuid', optionalUuid(before))
}

const inPage = (where: Conditions) => `where tenant_id = $tenant${where.sql} order by id desc limit $rows`

/** In a snapshot. */
export async function loadRouting(context: Context, tenantId: string): Promise<Routing> {
  const tenant = uuidOfId(tenantId)
  const [row] = await run(context, routingVersionStatement, { tenant: tenant })
  // Nothing is sent to what still stands of it.
  if (row?.deleted_at != null) {
    return {
      tenantId,
      ...toRoutedTenant(row),
      endpoints: [],
      subscriptions: [],
      secrets: [],
      credentials: [],
      eventTypes: [],
    }
  }
  const endpoints = await run(context, routingEndpointsStatement, { tenant: tenant })
  const subscriptions = await run(context, routingSubscriptionsStatement, { tenant: tenant })
  const secrets = await run(beforeSkips(context), routingSecretsStatement, { tenant: tenant })
  return {
    tenantId,
    ...toRoutedTenant(row),
    endpoints: endpoints.map(toEndpoint),
    subscriptions: subscriptions.map(toSubscription),
    secrets: secrets.map(toSecret),
    credentials: await readRoutedCredentials(context, tenant),
    eventTypes: await readRoutedEventTypes(context, tenant),
  }
}

/** A secret whose grace may have ended in time that the line skipped is loaded; whoever signs knows its time. */
export function beforeSkips(context: Context): Context {
  return { ...context, moment: agedNow(context.line, 0, context.moment) }
}

const routingSecretsStatement = query<SecretRow>()(
  'routing_secrets',
  { tenant: 'uuid' },
  // endpoints_tenant, endpoint_secrets_endpoint
  `select s.id, s.endpoint_id, s.sealed, s.created_at, s.expires_at, s.primary_since, s.reveals, s.revealed_at,
       s.revealed_by
     from endpoints e join endpoint_secrets s on s.endpoint_id = e.id
     where e.tenant_id = $tenant and e.deleted_at is null and (s.expires_at is null or s.expires_at > ${now})
     order by s.endpoint_id, s.expires_at is null desc, s.created_at desc, s.id desc`,
)

const routingSubscriptionsStatement = query<SubscriptionRow>()(
  'routing_subscriptions',
  { tenant: 'uuid' },
  // subscriptions_tenant
  `select ${subscriptionColumns} from subscriptions where tenant_id = $tenant and deleted_at is null order by id`,
)

const routingEndpointsStatement = query<EndpointRow>()(
  'routing_endpoints',
  { tenant: 'uuid' },
  // endpoints_tenant
  `select ${endpointColumns} from endpoints where tenant_id = $tenant and deleted_at is null order by id`,
)

const routingVersionStatement = query<RoutedTenantRow>()(
  'routing_version',
  { tenant: 'uuid' },
  'select routing_version, settings, deleted_at from tenants where id = $tenant',
)

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
  const [row] = await run(context, getEndpointStatement, {
    id: uuid(bytes),
    tenant: uuidOfId(tenantId),
    with_deleted: options.includeDeleted === true,
  })
  return row === undefined ? null : toEndpoint(row)
}

const getEndpointStatement = query<EndpointRow>()(
  'get_endpoint',
  { id: 'uuid', tenant: 'uuid', with_deleted: 'boolean' },
  `select ${endpointColumns} from endpoints
     where id = $id and tenant_id = $tenant and ($with_deleted or deleted_at is null)`,
)

export async function getEndpointByUid(
  context: Context,
  tenantId: string,
  uid: string,
): Promise<Endpoint | null> {
  const [row] = await run(context, getEndpointByUidStatement, { tenant: uuidOfId(tenantId), uid: uid })
  return row === undefined ? null : toEndpoint(row)
}

const getEndpointByUidStatement = query<EndpointRow>()(
  'get_endpoint_by_uid',
  { tenant: 'uuid', uid: 'text' },
  // endpoints_uid
  `select ${endpointColumns} from endpoints
     where tenant_id = $tenant and uid = $uid and uid is not null and deleted_at is null`,
)

export async function listHeldEndpoints(
  context: Context,
  ids: readonly string[],
): Promise<readonly HeldEndpoint[]> {
  const rows = await run(context, listHeldEndpointsStatement, { targets: ids.map(uuidOfId) })
  return rows.map(({ target_id, until, consecutive_failures }) => ({
    endpointId: bytesToId(idPrefixes.endpoint, target_id),
    state: consecutive_failures === 0 ? 'throttled' : 'paused',
    until,
  }))
}

const listHeldEndpointsStatement = query<{
  readonly target_id: Uint8Array
  readonly until: number
  readonly consecutive_failures: number
}>()(
  'list_held_endpoints',
  { targets: 'uuid[]' },
  // endpoint_state_pkey
  `select target_id, consecutive_failures, greatest(paused_until, probe_until) as until from endpoint_state
     where target_id = any ($targets) and paused_until is not null
       and greatest(paused_until, probe_until) > ${now}`,
)

export async function listFailing(
  context: Context,
  ids: readonly string[],
): Promise<readonly FailingEndpoint[]> {
  const rows = await run(context, listFailingStatement, { targets: ids.map(uuidOfId) })
  return rows.map(({ target_id, failing_since, consecutive_failures }) => ({
    endpointId: bytesToId(idPrefixes.endpoint, target_id),
    failingSince: failing_since,
    consecutiveFailures: consecutive_failures,
  }))
}

const listFailingStatement = query<{
  readonly target_id: Uint8Array
  readonly failing_since: number
  readonly consecutive_failures: number
}>()(
  'list_failing',
  { targets: 'uuid[]' },
  // endpoint_state_pkey
  `select target_id, failing_since, consecutive_failures from endpoint_state
     where target_id = any ($targets) and failing_since is not null`,
)

export async function listEndpoints(
  context: Context,
  tenantId: string,
  page: PageRequest & DeletedOption,
): Promise<Page<Endpoint>> {
  const { limit, before } = readPageRequest(page)
  // endpoints_tenant
  const where = pageOf(tenantId, { limit, before })
  if (page.includeDeleted !== true) where.literal('deleted_at is null')
  const rows = await where.read<EndpointRow>(
    context,
    `select ${endpointColumns} from endpoints ${inPage(where)}`,
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
  const [row] = await run(context, getSubscriptionStatement, {
    id: uuid(bytes),
    tenant: uuidOfId(tenantId),
    with_deleted: options.includeDeleted === true,
  })
  return row === undefined ? null : toSubscription(row)
}

const getSubscriptionStatement = query<SubscriptionRow>()(
  'get_subscription',
  { id: 'uuid', tenant: 'uuid', with_deleted: 'boolean' },
  `select ${subscriptionColumns} from subscriptions
     where id = $id and tenant_id = $tenant and ($with_deleted or deleted_at is null)`,
)

export async function listSubscriptions(
  context: Context,
  tenantId: string,
  page: PageRequest & DeletedOption & { readonly endpointId?: string },
): Promise<Page<Subscription>> {
  const { limit, before } = readPageRequest(page)
  // subscriptions_endpoint, subscriptions_tenant
  const where = pageOf(tenantId, { limit, before })
  if (page.endpointId !== undefined) {
    const endpoint = bytesOfId(idPrefixes.endpoint, page.endpointId)
    if (endpoint === null) return { items: [], nextCursor: '' }
    where.add('endpoint_id = $endpoint', 'endpoint', 'uuid', uuid(endpoint))
  }
  if (page.includeDeleted !== true) where.literal('deleted_at is null')
  const rows = await where.read<SubscriptionRow>(
    context,
    `select ${subscriptionColumns} from subscriptions ${inPage(where)}`,
  )
  return toPage(rows, limit, toSubscription)
}

export async function loadHealth(
  context: Context,
): Promise<readonly (readonly [targetId: string, health: EndpointHealth])[]> {
  const rows = await run(context, loadHealthStatement, {})
  return rows.map((row) => [bytesToId(idPrefixes.endpoint, row.target_id), toHealth(row)] as const)
}

const loadHealthStatement = query<HealthRow>()(
  'load_health',
  {},
  'select target_id, consecutive_failures, failing_since, paused_until, pause_ms from endpoint_state',
)
