import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { Endpoint, EndpointHealth, Subscription } from '../../../core/model.ts'
import { agedNow } from '../../../core/time-line.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
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
import type { ReadContext } from './context.ts'
import { readRoutedCredentials } from './credentials.ts'
import { readRoutedEventTypes } from './event-types.ts'

export function loadRouting(context: ReadContext, tenantId: string): Routing {
  const tenant = idToBytes(tenantId)
  const row = context
    .prepare<RoutedTenantRow>('select routing_version, settings, deleted_at from tenants where id = ?')
    .get(tenant)
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
  const endpoints = context
    .prepare<EndpointRow>(`select * from endpoints where tenant_id = ? and deleted_at is null order by id`) // endpoints_tenant
    .all(tenant)
  const subscriptions = context
    .prepare<SubscriptionRow>(
      `select * from subscriptions where tenant_id = ? and deleted_at is null order by id`,
    ) // subscriptions_tenant
    .all(tenant)
  const secrets = context
    .prepare<SecretRow>(
      // endpoints_tenant, endpoint_secrets_endpoint
      `select s.* from endpoints e join endpoint_secrets s on s.endpoint_id = e.id
       where e.tenant_id = ? and e.deleted_at is null and (s.expires_at is null or s.expires_at > ?)
       order by s.endpoint_id, s.expires_at is null desc, s.created_at desc, s.id desc`,
    )
    .all(tenant, agedNow(context.line, 0, context.now))
  return {
    tenantId,
    ...toRoutedTenant(row),
    endpoints: endpoints.map(toEndpoint),
    subscriptions: subscriptions.map(toSubscription),
    secrets: secrets.map(toSecret),
    credentials: readRoutedCredentials(context, tenant),
    eventTypes: readRoutedEventTypes(context, tenant),
  }
}

export function getEndpoint(
  context: ReadContext,
  tenantId: string,
  id: string,
  options: { includeDeleted?: boolean } = {},
): Endpoint | null {
  const bytes = bytesOfId(idPrefixes.endpoint, id)
  if (bytes === null) return null
  const row = context
    .prepare<EndpointRow>(
      'select * from endpoints where id = ? and tenant_id = ? and (? or deleted_at is null)',
    )
    .get(bytes, idToBytes(tenantId), options.includeDeleted === true ? 1 : 0)
  return row === undefined ? null : toEndpoint(row)
}

export function getEndpointByUid(context: ReadContext, tenantId: string, uid: string): Endpoint | null {
  const row = context
    .prepare<EndpointRow>(
      // endpoints_uid
      'select * from endpoints where tenant_id = ? and uid = ? and uid is not null and deleted_at is null',
    )
    .get(idToBytes(tenantId), uid)
  return row === undefined ? null : toEndpoint(row)
}

export function listHeldEndpoints(context: ReadContext, ids: readonly string[]): readonly HeldEndpoint[] {
  // primary key
  const find = context.prepare(
    `select consecutive_failures, max(paused_until, coalesce(probe_until, 0)) as until from endpoint_state
     where target_id = ? and paused_until is not null and max(paused_until, coalesce(probe_until, 0)) > ?`,
  )
  return ids.flatMap((endpointId) => {
    const row = find.get(idToBytes(endpointId), context.now)
    if (row === undefined) return []
    const state = row.consecutive_failures === 0 ? 'throttled' : 'paused'
    return [{ endpointId, state, until: row.until as number }]
  })
}

export function listFailing(context: ReadContext, ids: readonly string[]): readonly FailingEndpoint[] {
  const find = context.prepare<Pick<HealthRow, 'failing_since' | 'consecutive_failures'>>(
    // primary key
    'select failing_since, consecutive_failures from endpoint_state where target_id = ?',
  )
  return ids.flatMap((endpointId) => {
    const row = find.get(idToBytes(endpointId))
    if (row === undefined || row.failing_since === null) return []
    const { failing_since: failingSince, consecutive_failures: consecutiveFailures } = row
    return [{ endpointId, failingSince, consecutiveFailures }]
  })
}

export function listEndpoints(
  context: ReadContext,
  tenantId: string,
  page: PageRequest & { includeDeleted?: boolean },
): Page<Endpoint> {
  const { limit, before } = readPageRequest(page)
  const rows = context
    .prepare<EndpointRow>(
      // endpoints_tenant
      `select * from endpoints where tenant_id = ? and (? is null or id < ?) and (? or deleted_at is null)
       order by id desc limit ?`,
    )
    .all(idToBytes(tenantId), before, before, page.includeDeleted === true ? 1 : 0, limit + 1)
  return toPage(rows, limit, toEndpoint)
}

export function getSubscription(
  context: ReadContext,
  tenantId: string,
  id: string,
  options: { includeDeleted?: boolean } = {},
): Subscription | null {
  const bytes = bytesOfId(idPrefixes.subscription, id)
  if (bytes === null) return null
  const row = context
    .prepare<SubscriptionRow>(
      'select * from subscriptions where id = ? and tenant_id = ? and (? or deleted_at is null)',
    )
    .get(bytes, idToBytes(tenantId), options.includeDeleted === true ? 1 : 0)
  return row === undefined ? null : toSubscription(row)
}

export function listSubscriptions(
  context: ReadContext,
  tenantId: string,
  page: PageRequest & { endpointId?: string; includeDeleted?: boolean },
): Page<Subscription> {
  const { limit, before } = readPageRequest(page)
  const endpoint = page.endpointId === undefined ? null : bytesOfId(idPrefixes.endpoint, page.endpointId)
  if (page.endpointId !== undefined && endpoint === null) return { items: [], nextCursor: '' }
  const rows = context
    .prepare<SubscriptionRow>(
      // subscriptions_endpoint, subscriptions_tenant
      `select * from subscriptions
       where tenant_id = ? ${endpoint === null ? '' : 'and endpoint_id = ?'}
         and (? is null or id < ?) and (? or deleted_at is null)
       order by id desc limit ?`,
    )
    .all(
      idToBytes(tenantId),
      ...(endpoint === null ? [] : [endpoint]),
      before,
      before,
      page.includeDeleted === true ? 1 : 0,
      limit + 1,
    )
  return toPage(rows, limit, toSubscription)
}

export function loadHealth(
  context: ReadContext,
): readonly (readonly [targetId: string, health: EndpointHealth])[] {
  const rows = context.prepare<HealthRow>('select * from endpoint_state').all()
  return rows.map((row) => [bytesToId(idPrefixes.endpoint, row.target_id), toHealth(row)] as const)
}
