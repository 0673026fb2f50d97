/** From a checked event to what is inserted, or to why it is refused. */
import type { OuthookError } from '../core/errors.ts'
import type { IdFactory } from '../core/ids.ts'
import type { TenantRouting } from '../delivery/routing-cache.ts'
import { type FanOutInput, fanOut } from './fan-out.ts'
import type { Plan } from './hand-off.ts'
import type { PayloadRules } from './payload-rules.ts'
import { noRoutingVersion } from './plan-send.ts'

export interface EventPlanning {
  readonly ids: IdFactory
  readonly payloads: Pick<PayloadRules, 'judge' | 'tell'>
  /** It was planned before, with the routing of then. */
  readonly isAgain: boolean
}

/** Throws what refuses it, where no idempotency key may have an earlier answer. */
export function planEvent(
  input: FanOutInput,
  routing: TenantRouting,
  { ids, payloads, isAgain }: EventPlanning,
): Plan {
  const verdict = input.operational === undefined ? payloads.judge(input, routing) : null
  if (verdict === null) return { event: fanOut(input, routing, ids), routing, refusal: null }
  const { refusal, warning } = verdict
  if (!isAgain) payloads.tell(input, verdict, refusal !== null)
  if (refusal !== null) return planRefused(input, routing, { ids, refusal })
  return { event: fanOut(input, routing, ids), routing, refusal, warnings: [warning] }
}

/** The store looks for its idempotency key, under which it may have been accepted before the schema was what it is now. */
function planRefused(
  input: FanOutInput,
  routing: TenantRouting,
  { ids, refusal }: { readonly ids: IdFactory; readonly refusal: OuthookError },
): Plan {
  if (input.idempotency === null) throw refusal
  const event = {
    ...input,
    id: input.eventId ?? ids.next('evt'),
    request: null,
    routingVersion: noRoutingVersion,
    deliveries: [],
    filteredSubscriptions: null,
  }
  return { event, routing, refusal }
}
