/** The states of a delivery, in the order in which it goes through them. Pure. */
import type { Delivery } from '../../client/index.ts'

export type DeliveryState = Delivery['state']

const isEnded = {
  pending: false,
  in_flight: false,
  retry_scheduled: false,
  succeeded: true,
  dead_lettered: true,
  cancelled: true,
  skipped: true,
} as const satisfies Readonly<Record<DeliveryState, boolean>>

export const deliveryStates = Object.keys(isEnded) as readonly DeliveryState[]

/** It stays as it is until somebody sends it again. */
export function hasEnded({ state }: { readonly state: DeliveryState }): boolean {
  return isEnded[state]
}
