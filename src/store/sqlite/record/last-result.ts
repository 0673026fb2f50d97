/** What waiting, leased and finished deliveries have in common. */
import type { ErrorClass, LiveState } from '../../../core/model.ts'
import type { Lease } from '../claim/leases.ts'

export interface WaitingRow {
  readonly key: number
  readonly state: LiveState
  readonly tenantId: string
  readonly endpointId: string | null
}

/** What the last attempt said. */
export interface LastResult {
  readonly attemptCount: number
  readonly lastHttpStatus: number | null
  readonly errorClass: ErrorClass | null
  readonly lastError: string | null
}

export const noResult: LastResult = {
  attemptCount: 0,
  lastHttpStatus: null,
  errorClass: null,
  lastError: null,
}

/** Of a delivery that is leased; to the writer itself while it waits in memory. */
export function stateOfLease({ waiting }: Lease): 'pending' | 'in_flight' {
  return waiting === null ? 'in_flight' : 'pending'
}
