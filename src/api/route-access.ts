/**
 * Who may use which route: the one table of it. The server checks every request by it and refuses to start with a route
 * that has no row; the OpenAPI document shows it as security requirements; the tests go through it row by row.
 */
import type { AdminRole, KeyAbility } from '../core/model.ts'
import type { PortalAbility } from '../core/portal.ts'

export interface RouteAccess {
  /** The least role of an admin token that may. */
  readonly role: AdminRole
  /** What a producer key has to be able to; `any`: each may. Absent: no producer key may. */
  readonly producer?: KeyAbility | 'any'
  /**
   * What a link to the portal has to be able to, all of it. Absent: no link may. Such a route gives the objects of the
   * link's tenant alone, and nothing of the server or of other tenants.
   */
  readonly portal?: readonly PortalAbility[]
}

const viewer: RouteAccess = { role: 'viewer' }
const operator: RouteAccess = { role: 'operator' }
const admin: RouteAccess = { role: 'admin' }
const everybody: RouteAccess = { role: 'viewer', producer: 'any', portal: ['view'] }
/** Also of the quick way of `POST /v1/events`, which goes past the routes. */
export const publishers: RouteAccess = { role: 'operator', producer: 'publish' }
/** Whoever may choose where a request goes reaches more than those who publish, so a key has to be given the ability. */
const senders: RouteAccess = { role: 'operator', producer: 'send' }
const readers: RouteAccess = { role: 'viewer', producer: 'read', portal: ['view'] }
/** Also of tenants’ own people, who come by a link to the portal. */
const viewerOrLink: RouteAccess = { role: 'viewer', portal: ['view'] }
const endpointAdmin: RouteAccess = { role: 'admin', portal: ['manage_endpoints'] }
const endpointOperator: RouteAccess = { role: 'operator', portal: ['manage_endpoints'] }
const repairer: RouteAccess = { role: 'operator', portal: ['resend'] }

/** `open`: without credentials. A row for GET is that of HEAD too. */
export const routeAccess: Readonly<Record<string, RouteAccess | 'open'>> = {
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'GET /metrics': 'open',
  'GET /openapi.json': 'open',
  'GET /docs': 'open',
  'GET /docs/': 'open',
  'GET /docs/static/swagger-ui-bundle.js': 'open',
  'GET /docs/static/start.js': 'open',
  'GET /docs/static/swagger-ui.css': 'open',
  'GET /docs/static/index.css': 'open',
  'GET /docs/static/favicon-32x32.png': 'open',
  'GET /docs/errors': 'open',
  'GET /docs/errors/:code': 'open',
  'GET /event-types/style.css': 'open',
  // Of the server’s catalogue, and only where the setting says so.
  'GET /event-types/': 'open',
  'GET /event-types/openapi.json': 'open',
  'GET /event-types/asyncapi.json': 'open',
  'GET /dashboard': 'open',
  'GET /dashboard/': 'open',
  'GET /dashboard/*': 'open',
  'GET /dashboard/assets/:name': 'open',
  'GET /portal': 'open',
  'GET /portal/': 'open',
  'GET /portal/*': 'open',
  'GET /portal/assets/:name': 'open',
  'GET /portal/logo': 'open',
  // For receivers. It says nothing of endpoints that have no public key.
  'GET /v1/endpoints/:id/public-keys': 'open',

  'GET /v1/whoami': everybody,
  'PUT /v1/sign-in': viewer,
  'PUT /v1/sign-in/code': viewer,
  'GET /v1/sign-in': viewer,
  'DELETE /v1/sign-in': viewer,

  'POST /v1/events': publishers,
  'POST /v1/events/batch': publishers,
  'GET /v1/events': readers,
  // To a producer key without the ability `read`, another's event does not exist.
  'GET /v1/events/:id': everybody,
  'GET /v1/events/:id/payload': { ...everybody, portal: ['see_payloads'] },
  // It cannot be undone.
  'DELETE /v1/events/:id/payload': admin,

  'GET /v1/stream': viewerOrLink,

  'GET /v1/stats': viewerOrLink,
  'GET /v1/stats/series': viewerOrLink,
  'GET /v1/stats/endpoints': viewerOrLink,
  'GET /v1/stats/trouble': viewerOrLink,

  'POST /v1/endpoints': endpointAdmin,
  'GET /v1/endpoints': viewerOrLink,
  'GET /v1/endpoints/:id': viewerOrLink,
  'PATCH /v1/endpoints/:id': endpointAdmin,
  'DELETE /v1/endpoints/:id': endpointAdmin,
  'POST /v1/endpoints/:id/rotate-secret': { role: 'admin', portal: ['manage_endpoints', 'reveal_secret'] },
  'GET /v1/endpoints/:id/secrets': viewerOrLink,
  'POST /v1/endpoints/:id/secrets/:secret_id/primary': admin,
  'POST /v1/endpoints/:id/secrets/:secret_id/reveal': { role: 'admin', portal: ['reveal_secret'] },
  'POST /v1/endpoints/:id/backfill': repairer,
  'POST /v1/endpoints/:id/test': endpointOperator,
  'POST /v1/endpoints/:id/pause': endpointOperator,
  'POST /v1/endpoints/:id/resume': endpointOperator,
  'POST /v1/endpoints/:id/enable': endpointOperator,

  'POST /v1/credentials': admin,
  'GET /v1/credentials': viewer,
  'GET /v1/credentials/:id': viewer,
  'PATCH /v1/credentials/:id': admin,
  'DELETE /v1/credentials/:id': admin,

  'POST /v1/subscriptions': admin,
  // It changes nothing, and shows of payloads what a viewer may read.
  'POST /v1/subscriptions/preview': viewer,
  'GET /v1/subscriptions': viewer,
  'GET /v1/subscriptions/:id': viewer,
  'PATCH /v1/subscriptions/:id': admin,
  'DELETE /v1/subscriptions/:id': admin,

  'POST /v1/event-types': admin,
  'POST /v1/event-types/import': admin,
  'GET /v1/event-types': everybody,
  'GET /v1/event-types/openapi.json': everybody,
  'GET /v1/event-types/asyncapi.json': everybody,
  'GET /v1/event-types/index.html': everybody,
  'GET /v1/event-types/:name': everybody,
  'PATCH /v1/event-types/:name': admin,
  'DELETE /v1/event-types/:name': admin,

  'POST /v1/deliveries': senders,
  'GET /v1/deliveries': viewerOrLink,
  'GET /v1/deliveries/:id': viewerOrLink,
  'POST /v1/deliveries/:id/resend': repairer,
  'POST /v1/deliveries/:id/cancel': operator,
  'POST /v1/deliveries/:id/skip': operator,
  'POST /v1/deliveries/cancel': operator,

  'GET /v1/ordered-keys': viewer,

  'GET /v1/dlq': viewerOrLink,
  'GET /v1/dlq/reasons': viewerOrLink,
  'POST /v1/dlq/:delivery_id/replay': repairer,
  'POST /v1/dlq/replay': repairer,

  'GET /v1/jobs': viewerOrLink,
  'GET /v1/jobs/:id': viewerOrLink,
  'POST /v1/jobs/:id/cancel': repairer,
  'POST /v1/jobs/:id/pause': repairer,
  'POST /v1/jobs/:id/resume': repairer,

  'POST /v1/tenants': admin,
  'GET /v1/tenants': viewer,
  'GET /v1/tenants/:id': viewer,
  'PATCH /v1/tenants/:id': admin,
  'DELETE /v1/tenants/:id': admin,
  'POST /v1/tenants/:id/portal-links': admin,
  'GET /v1/tenants/:id/portal-links': admin,
  'DELETE /v1/tenants/:id/portal-links/:link_id': admin,

  'GET /v1/portal': viewerOrLink,

  'POST /v1/keys': admin,
  'GET /v1/keys': admin,
  'GET /v1/keys/:id': admin,
  'PATCH /v1/keys/:id': admin,
  'DELETE /v1/keys/:id': admin,
  'POST /v1/keys/:id/rotate': admin,

  // It shows where the server and its store are, which nobody needs who only looks at deliveries.
  'GET /v1/system': operator,

  'GET /v1/master-key': admin,
  'POST /v1/master-key/rotate': admin,

  'GET /v1/audit': admin,

  'POST /v1/admin-tokens': admin,
  'GET /v1/admin-tokens': admin,
  'GET /v1/admin-tokens/:id': admin,
  'DELETE /v1/admin-tokens/:id': admin,
}

/** Null: the table has no row for the route. */
export function accessOf(method: string, url: string): RouteAccess | 'open' | null {
  return routeAccess[`${method === 'HEAD' ? 'GET' : method} ${url}`] ?? null
}

/** Whether some token that is in use may be refused. */
export function canForbid({ role, producer, portal }: RouteAccess): boolean {
  return role !== 'viewer' || producer !== 'any' || portal?.join() !== 'view'
}
