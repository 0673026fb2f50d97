import type { DisabledReason } from '../../../core/model.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { applyEndpointChange, firstSliceRows } from './apply-changes.ts'
import { raiseRoutingVersion } from './routing-version.ts'

/** Disables a live, enabled endpoint and parks what waits for it; false when there is nothing to disable. */
export function disableEndpoint(context: WriteContext, endpointId: string, reason: DisabledReason): boolean {
  const { memory, now } = context
  const facts = memory.endpoint(endpointId)
  if (facts === null || facts.deleted || facts.disabled) return false
  context
    .prepare(
      `update endpoints set disabled_reason = ?, disabled_at = ?, updated_at = max(?, updated_at + 1), cleanup = 'park' where id = ?`,
    )
    .run(reason, now, now, memory.bytes(endpointId))
  raiseRoutingVersion(context, facts.tenantId)
  applyEndpointChange(context, endpointId, firstSliceRows)
  return true
}
