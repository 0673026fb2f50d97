import type { DisabledReason, ErrorClass } from '../../../core/model.ts'
import { disablingLine, isBySystem } from '../../audit-line.ts'
import { insertAuditLine } from '../audit/lines.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { applyEndpointChange, firstSliceRows } from './apply-changes.ts'
import { addNotice } from './notices.ts'
import { raiseRoutingVersion } from './routing-version.ts'

export interface Disabling {
  readonly reason: DisabledReason
  /** Of the attempt that it was disabled for. */
  readonly errorClass?: ErrorClass | null
}

/** Disables a live, enabled endpoint and parks what waits for it; false when there is nothing to disable. */
export function disableEndpoint(
  context: WriteContext,
  endpointId: string,
  { reason, errorClass = null }: Disabling,
): boolean {
  const { memory, now } = context
  const facts = memory.endpoint(endpointId)
  if (facts === null || facts.deleted || facts.disabled) return false
  context
    .prepare(
      `update endpoints set disabled_reason = ?, disabled_at = ?, updated_at = max(?, updated_at + 1), cleanup = 'park' where id = ?`,
    )
    .run(reason, now, now, memory.bytes(endpointId))
  if (isBySystem(reason)) {
    insertAuditLine(context, disablingLine({ tenantId: facts.tenantId, endpointId }, { reason, errorClass }))
  }
  if (reason !== 'paused') addNotice(context, endpointId, { topic: 'endpoint.disabled', reason, errorClass })
  raiseRoutingVersion(context, facts.tenantId)
  applyEndpointChange(context, endpointId, firstSliceRows)
  return true
}
