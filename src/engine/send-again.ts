import { OuthookError } from '../core/errors.ts'
import type { DeliveryState } from '../core/model.ts'
import type { ReplayResult } from '../store/port.ts'
import { notFound } from './page.ts'

/** What to say of a payload that is not there any more. */
export function payloadGone(expungedAt: number | null, payload: string): OuthookError {
  return new OuthookError(
    'expired',
    expungedAt === null
      ? `${payload} is past its retention and was removed; publish the event again`
      : `${payload} was expunged on demand at ${new Date(expungedAt).toISOString()}; publish the event again`,
  )
}

/** Errors: not_found, not_replayable, expired. `why` completes the sentence about a delivery that may not be sent again. */
export function checkSentAgain(result: ReplayResult, why: (state: DeliveryState) => string): void {
  switch (result.kind) {
    case 'replayed':
      return
    case 'not_found':
      throw notFound('delivery')
    case 'expired':
      throw payloadGone(result.expungedAt, 'its payload')
    case 'not_replayable':
      throw new OuthookError(
        'not_replayable',
        result.endpointDeleted
          ? 'its endpoint or subscription was deleted; publish the event again for a new one'
          : why(result.state),
      )
  }
}
