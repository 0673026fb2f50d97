import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { DisabledReason } from '../../../core/model.ts'
import { type Context, now } from '../connection/context.ts'
import { raiseRoutingVersion } from './routing-version.ts'
import { firstSliceRows, settleEndpoint } from './settle.ts'

/** Disables a live, enabled endpoint and parks what waits for it. Its tenant; null when there is nothing to disable. */
export async function disableEndpoint(
  context: Context,
  endpoint: string,
  reason: DisabledReason,
): Promise<Uint8Array | null> {
  const [row] = await context.query<{ readonly tenant_id: Uint8Array }>(
    'disable_endpoint',
    `update endpoints set disabled_reason = $3, disabled_at = ${now}, updated_at = ${now}, cleanup = 'park'
     where id = $2 and disabled_reason is null and deleted_at is null returning tenant_id`,
    [context.shiftMs, endpoint, reason],
  )
  if (row === undefined) return null
  await raiseRoutingVersion(context, bytesToId(idPrefixes.tenant, row.tenant_id))
  await settleEndpoint(context, endpoint, firstSliceRows)
  return row.tenant_id
}
