import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { DisabledReason } from '../../../core/model.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { applyEndpointChange, firstSliceRows } from './apply-changes.ts'
import { changeTime } from './change-time.ts'
import { raiseRoutingVersion } from './routing-version.ts'

/** Disables a live, enabled endpoint and parks what waits for it. Its tenant; null when there is nothing to disable. */
export async function disableEndpoint(
  context: Context,
  endpoint: string,
  reason: DisabledReason,
): Promise<Uint8Array | null> {
  const [row] = await run(context, disableEndpointStatement, { endpoint: endpoint, reason: reason })
  if (row === undefined) return null
  await raiseRoutingVersion(context, bytesToId(idPrefixes.tenant, row.tenant_id))
  await applyEndpointChange(context, endpoint, firstSliceRows)
  return row.tenant_id
}

const disableEndpointStatement = query<{ readonly tenant_id: Uint8Array }>()(
  'disable_endpoint',
  { endpoint: 'uuid', reason: 'text' },
  `update endpoints set disabled_reason = $reason, disabled_at = ${now}, updated_at = ${changeTime}, cleanup = 'park'
     where id = $endpoint and disabled_reason is null and deleted_at is null returning tenant_id`,
)
