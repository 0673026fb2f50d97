/** A new delivery into the table of what waits: due at once or at the event's time, or parked for the reason. */
import { firstWait } from '../../../core/claim/row-fate.ts'
import type { WaitReason } from '../../../core/model.ts'
import { noResult } from '../record/finish.ts'
import { insertWaiting } from '../record/wait.ts'
import { type FanOutEntry, ownersIn } from '../rows/fan-out.ts'
import type { WriteContext } from '../threads/write-context.ts'

const newDelivery = { ...noResult, claimVersion: 0, lostClaims: 0 }

export interface NewWaiting {
  readonly tenantId: string
  readonly eventKey: number
  /** Of the event. */
  readonly deliverAt: number | null
  readonly parked: WaitReason | null
}

export function placeWaiting(
  context: WriteContext,
  entry: FanOutEntry,
  { tenantId, eventKey, deliverAt, parked }: NewWaiting,
): void {
  const { memory, now } = context
  const tenant = memory.names.numberOf(tenantId)
  const row = { ...entry, ...ownersIn(entry), tenant, eventKey, createdAt: now }
  insertWaiting(context, row, { ...newDelivery, ...firstWait({ now, deliverAt, parked }) })
}
