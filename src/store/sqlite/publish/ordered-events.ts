/** What keeps an event with ordered deliveries from being published now. */
import type { NewEvent } from '../../port.ts'
import { findLine } from '../record/lines.ts'
import type { WriteContext } from '../threads/write-context.ts'

/** An earlier event of its ordering key, one for many, is still being fanned out. */
export function wouldOvertake(
  context: WriteContext,
  { tenantId, orderingKey, deliveries }: NewEvent,
): boolean {
  if (orderingKey === null || !deliveries.some(({ ordered }) => ordered)) return false
  const row = context
    .prepare(
      // primary keys; a table of a few rows
      `select 1 from fan_outs f join events e on e.k = f.event_k where f.tenant = ? and e.ordering_key = ? limit 1`,
    )
    .get(context.memory.names.numberOf(tenantId), orderingKey)
  return row !== undefined
}

/** The first subscription whose line the event was to join and is as long as it may be. */
export function findFullLine(context: WriteContext, event: NewEvent, max: number | undefined): string | null {
  const { tenantId, orderingKey, deliveries } = event
  if (max === undefined || orderingKey === null) return null
  for (const { ordered, subscriptionId } of deliveries) {
    if (!ordered || subscriptionId === null) continue
    const line = findLine(context, { tenantId, subscriptionId, orderingKey })
    if ((line?.length ?? 0) >= max) return subscriptionId
  }
  return null
}
