import type { WriteContext } from '../threads/write-context.ts'

/** In the same transaction as every change to a tenant's endpoints, secrets or subscriptions. */
export function raiseRoutingVersion(context: WriteContext, tenantId: string): void {
  context
    .prepare(
      `insert into tenants (id, name, routing_version, created_at, updated_at) values (?, '', 1, ?, ?)
       on conflict do update set routing_version = routing_version + 1`,
    )
    .run(context.memory.bytes(tenantId), context.now, context.now)
  context.memory.configChanged()
}
