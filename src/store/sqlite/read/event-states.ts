/** Whether an event has a delivery in some state, in few reads. */
import type { DeliveryState } from '../../../core/model.ts'
import { maxStatesOfEvent } from '../../page-reading.ts'
import { readHandoffs, type WrittenLease } from '../rows/handoff-row.ts'
import { codeOf } from '../rows/state-codes.ts'
import type { ReadContext } from './context.ts'
import { keysOfEvent } from './event-deliveries.ts'
import { stateOfHandedOff } from './handed-off.ts'

interface Checked {
  readonly isThere: boolean
  /** Deliveries. */
  readonly lookedAt: number
}

/** Of one moment: what is handed off is read once. */
export function checkStates(context: ReadContext, state: DeliveryState): (eventKey: number) => Checked {
  const wanted = codeOf(state)
  const read = context.prepare<{ readonly state: number }>(
    // primary keys
    'select state from deliveries where k = ? union all select state from live_deliveries where k = ?',
  )
  let leases: ReadonlyMap<number, WrittenLease> | null = null
  return (eventKey) => {
    const keys = keysOfEvent(context, eventKey, maxStatesOfEvent)
    for (const [index, key] of keys.entries()) {
      const row = read.get(key, key)
      leases ??= new Map(readHandoffs(context).map((lease) => [lease.key, lease]))
      const lease = row === undefined ? leases.get(key) : undefined
      const isThere =
        row === undefined ? lease !== undefined && stateOfHandedOff(lease) === state : row.state === wanted
      if (isThere) return { isThere, lookedAt: index + 1 }
    }
    return { isThere: false, lookedAt: keys.length }
  }
}
