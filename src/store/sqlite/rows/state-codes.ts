/** States of deliveries as the large tables keep them: as their place in the list of all. */
import { type DeliveryState, deliveryStates } from '../../../core/model.ts'

const codes = Object.fromEntries(deliveryStates.map((state, code) => [state, code])) as Record<
  DeliveryState,
  number
>

export function codeOf(state: DeliveryState): number {
  return codes[state]
}

export function stateOf(code: number): DeliveryState {
  const state = deliveryStates[code]
  if (state === undefined) throw new Error(`there is no state ${code}; the stored row is damaged`)
  return state
}
