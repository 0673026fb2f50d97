/** A new delivery into the table of what waits: due at once or at the event's time, or parked for a reason. */
import { firstWait } from '../../../core/claim/row-fate.ts'
import type { WaitReason } from '../../../core/model.ts'
import { noResult } from '../record/last-result.ts'
import { joinLine, type LineKey } from '../record/lines.ts'
import { insertWaiting, type Wait } from '../record/wait.ts'
import { type FanOutEntry, ownersIn } from '../rows/fan-out.ts'
import type { WriteContext } from '../threads/write-context.ts'

const newDelivery = { ...noResult, claimVersion: 0, lostClaims: 0 }

export interface NewWaiting {
  readonly tenantId: string
  readonly eventKey: number
  /** Of the event. */
  readonly deliverAt: number | null
  readonly parked: WaitReason | null
  /** Whose end it goes to; null: it is not ordered. */
  readonly line: LineKey | null
}

export function placeWaiting(
  context: WriteContext,
  entry: FanOutEntry,
  { tenantId, eventKey, deliverAt, parked, line }: NewWaiting,
): Wait {
  const { memory, now } = context
  const place = line === null ? null : joinLine(context, line, entry.key)
  const wait = firstWait({ now, deliverAt, parked: place?.isHead === false ? 'behind_head' : parked })
  const row = {
    ...entry,
    ...ownersIn(entry),
    tenant: memory.names.numberOf(tenantId),
    eventKey,
    createdAt: now,
    line: place?.line ?? null,
    place: place?.place ?? null,
  }
  insertWaiting(context, row, { ...newDelivery, ...wait })
  return wait
}
