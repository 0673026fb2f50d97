/** `endpoint_state`: written on failure or transition only. */

import { idToBytes } from '../../../core/ids.ts'
import type { EndpointHealth } from '../../../core/model.ts'
import { writeOutWaiting } from '../claim/memory-queue.ts'
import { armReady, holdReady } from '../claim/ready-endpoints.ts'
import type { WriteContext } from '../threads/write-context.ts'

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
  context
    .prepare(
      `insert into endpoint_state
         (target_id, consecutive_failures, failing_since, paused_until, pause_ms, probe_delivery_id, probe_until)
       values (?, ?, ?, ?, ?, ?, ?)
       on conflict do update set consecutive_failures = excluded.consecutive_failures,
         failing_since = excluded.failing_since, paused_until = excluded.paused_until, pause_ms = excluded.pause_ms,
         probe_delivery_id = excluded.probe_delivery_id, probe_until = excluded.probe_until`,
    )
    .run(
      target,
      health.consecutiveFailures,
      health.failingSince,
      health.pausedUntil,
      health.pauseMs,
      probe === null ? null : idToBytes(probe.deliveryId),
      probe?.until ?? null,
    )
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
