/** `endpoint_state`: written on failure or transition only. */

import { idToBytes } from '../../../core/ids.ts'
import type { EndpointHealth } from '../../../core/model.ts'
import { writeOutWaiting } from '../claim/memory-queue.ts'
import { armReady, holdReady } from '../claim/ready-endpoints.ts'
import { Columns } from '../connection/columns.ts'
import type { WriteContext } from '../threads/write-context.ts'

const stateColumns = new Columns(
  'target_id',
  'consecutive_failures',
  'failing_since',
  'paused_until',
  'pause_ms',
  'probe_delivery_id',
  'probe_until',
)

/** Null removes the row: absent means healthy. A new pause starts without a probe. */
export function storeHealth(context: WriteContext, targetId: string, health: EndpointHealth | null): void {
  const { memory } = context
  const target = memory.bytes(targetId)
  if (health === null) {
    memory.setHealth(targetId, null)
    context.prepare('delete from endpoint_state where target_id = ?').run(target)
    return
  }
  const known = memory.health(targetId)
  const probe = known !== null && known.health.pausedUntil === health.pausedUntil ? known.probe : null
  memory.setHealth(targetId, { health, probe })
  const row = {
    target_id: target,
    consecutive_failures: health.consecutiveFailures,
    failing_since: health.failingSince,
    paused_until: health.pausedUntil,
    pause_ms: health.pauseMs,
    probe_delivery_id: probe === null ? null : idToBytes(probe.deliveryId),
    probe_until: probe?.until ?? null,
  }
  context
    .prepare(`insert or replace into endpoint_state (${stateColumns.names}) values (${stateColumns.marks})`)
    .run(...stateColumns.values(row))
  if (health.pausedUntil === null) return
  holdReady(context, targetId)
  writeOutWaiting(context, targetId)
}

interface ProbeOwner {
  readonly id: string
  readonly tenantId: string
  readonly targetId: string
}

/** The probe came back, with an outcome or without: the next one need not wait for the end of its lease. */
export function clearProbe(context: WriteContext, lease: ProbeOwner): void {
  const { memory } = context
  const known = memory.health(lease.targetId)
  if (known === null || known.probe?.deliveryId !== lease.id) return
  memory.setHealth(lease.targetId, { health: known.health, probe: null })
  context
    .prepare('update endpoint_state set probe_delivery_id = null, probe_until = null where target_id = ?')
    .run(memory.bytes(lease.targetId))
  armReady(context, memory.bytes(lease.tenantId), lease.targetId, context.now)
}

/** Deleted, or enabled again: what was learnt of it does not count any more. */
export function forgetHealth(context: WriteContext, targetId: string): void {
  if (context.memory.health(targetId) !== null) storeHealth(context, targetId, null)
}
