import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { DisabledReason, ErrorClass } from '../../../core/model.ts'
import { disablingLine, isBySystem } from '../../audit-line.ts'
import { insertAuditLine } from '../audit/lines.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { applyEndpointChange, firstSliceRows } from './apply-changes.ts'
import { changeTime } from './change-time.ts'
import { addNotice } from './notices.ts'
import { raiseRoutingVersion } from './routing-version.ts'

export interface Disabling {
  readonly reason: DisabledReason
  /** Of the attempt that it was disabled for. */
  readonly errorClass?: ErrorClass | null
}

/** Disables a live, enabled endpoint and parks what waits for it. Its tenant; null when there is nothing to disable. */
export async function disableEndpoint(
  context: Context,
  endpoint: string,
  { reason, errorClass = null }: Disabling,
): Promise<Uint8Array | null> {
  const [row] = await run(context, disableEndpointStatement, { endpoint: endpoint, reason: reason })
  if (row === undefined) return null
  const tenantId = bytesToId(idPrefixes.tenant, row.tenant_id)
  if (isBySystem(reason)) {
    const endpointId = bytesToId(idPrefixes.endpoint, row.id)
    await insertAuditLine(context, disablingLine({ tenantId, endpointId }, { reason, errorClass }))
  }
  if (reason !== 'paused')
    await addNotice(context, endpoint, { topic: 'endpoint.disabled', reason, errorClass })
  await raiseRoutingVersion(context, tenantId)
  await applyEndpointChange(context, endpoint, firstSliceRows)
  return row.tenant_id
}

const disableEndpointStatement = query<{ readonly id: Uint8Array; readonly tenant_id: Uint8Array }>()(
  'disable_endpoint',
  { endpoint: 'uuid', reason: 'text' },
  `update endpoints set disabled_reason = $reason, disabled_at = ${now}, updated_at = ${changeTime}, cleanup = 'park'
     where id = $endpoint and disabled_reason is null and deleted_at is null returning id, tenant_id`,
)
