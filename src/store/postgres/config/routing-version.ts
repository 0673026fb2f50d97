import { type Context, now } from '../connection/context.ts'
import { uuidOfId } from '../rows/wire-types.ts'

/** In the same transaction as every change to a tenant's endpoints, secrets or subscriptions. */
export async function raiseRoutingVersion(context: Context, tenantId: string): Promise<void> {
  await context.query(
    'raise_routing_version',
    `insert into tenants as t (id, name, routing_version, created_at) values ($2, '', 1, ${now})
     on conflict (id) do update set routing_version = t.routing_version + 1`,
    [context.shiftMs, uuidOfId(tenantId)],
  )
}
