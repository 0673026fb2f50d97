import { OuthookError } from '../core/errors.ts'
import type { DeliveryState } from '../core/model.ts'
import type { ReplayResult } from '../store/port.ts'
import { notFound } from './page.ts'

/** Errors: not_found, not_replayable, expired. `why` completes the sentence about a delivery that may not be sent again. */
export function checkSentAgain(result: ReplayResult, why: (state: DeliveryState) => string): void {
  switch (result.kind) {
    case 'replayed':
      return
    case 'not_found':
      throw notFound('delivery')
    case 'expired':
      throw new OuthookError(
        'expired',
        'its payload is past its retention and was removed; publish the event again',
      )
    case 'not_replayable':
      throw new OuthookError(
        'not_replayable',
        result.endpointDeleted
          ? 'its endpoint or subscription was deleted; publish the event again for a new one'
          : why(result.state),
      )
  }
}
