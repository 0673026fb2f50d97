import { type Context, command, now, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'

/** In the same transaction as every change to a tenant's endpoints, secrets or subscriptions. */
export async function raiseRoutingVersion(context: Context, tenantId: string): Promise<void> {
  await run(context, raiseRoutingVersionStatement, { tenant: uuidOfId(tenantId) })
}

const raiseRoutingVersionStatement = command(
  'raise_routing_version',
  { tenant: 'uuid' },
  `insert into tenants as t (id, name, routing_version, created_at, updated_at) values ($tenant, '', 1, ${now}, ${now})
     on conflict (id) do update set routing_version = t.routing_version + 1`,
)
