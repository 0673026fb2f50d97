/** A delivery in sentences: how it is and why, and what happens next. Pure. */
import type { Delivery } from '../../../client/index.ts'
import { explainError } from '../../error-words.ts'

export interface DeliveryWords {
  /** The state and why, in one sentence. */
  readonly now: string
  /** What happens next; null: nothing does by itself. */
  readonly next: string | null
  /** What somebody can do; null: there is nothing to do. */
  readonly todo: string | null
}

type Told = Pick<
  Delivery,
  'state' | 'reason' | 'attemptCount' | 'errorClass' | 'lastHttpStatus' | 'lastError' | 'nextAttemptAt'
>

export function describeDelivery(delivery: Told): DeliveryWords {
  const { state, attemptCount, errorClass, lastHttpStatus, lastError } = delivery
  const words = errorClass === null ? null : explainError(errorClass)
  const attempts = attemptCount === 1 ? 'one attempt' : `${attemptCount} attempts`
  switch (state) {
    case 'succeeded':
      return {
        now: `It arrived${lastHttpStatus === null ? '' : `: the receiver answered ${lastHttpStatus}`}, after ${attempts}.`,
        next: null,
        todo: null,
      }
    case 'in_flight':
      return {
        now: 'An attempt is under way.',
        next: 'What the receiver answers decides; without an answer the attempt ends by its timeout.',
        todo: null,
      }
    case 'pending':
      return {
        now: `It waits for its first attempt${whyWaiting(delivery)}.`,
        ...nextOf(delivery),
        todo: null,
      }
    case 'retry_scheduled':
      return {
        now: `It waits for another attempt${whyWaiting(delivery)}${words === null ? '.' : `, because the last one failed. ${words.what}`}`,
        ...nextOf(delivery),
        todo: words?.todo ?? null,
      }
    case 'dead_lettered':
      return {
        now: `It was given up after ${attempts}. ${words?.what ?? ''}`.trim(),
        next: null,
        todo: `${words?.todo ?? ''} Then replay it.`.trim(),
      }
    case 'cancelled':
      return {
        now: `It was cancelled and is not sent any more${said(lastError)}.`,
        next: null,
        todo: 'Resend it if it is to be sent after all.',
      }
    case 'skipped':
      return {
        now: `It was given up for good, so that what is behind it in its order goes on${said(lastError)}.`,
        next: null,
        todo: 'Resend it if it is to be sent after all; it then arrives after what was behind it.',
      }
  }
}

function said(lastError: string | null): string {
  return lastError === null ? '' : `: ${lastError}`
}

const reasons: Readonly<Record<string, string>> = {
  endpoint_paused: ', and its endpoint is paused',
  endpoint_disabled: ', and its endpoint is disabled',
  rate_limited: ', and the rate limit of its endpoint is reached',
  scheduled: ', and it was published for later',
  behind_head: ', and another delivery of its ordering key goes first',
}

function whyWaiting({ reason }: Told): string {
  return reason === null ? '' : (reasons[reason] ?? ` (${reason.replaceAll('_', ' ')})`)
}

function nextOf({ reason, nextAttemptAt }: Told): { readonly next: string } {
  switch (reason) {
    case 'endpoint_paused':
      return { next: 'It is sent when the pause ends.' }
    case 'endpoint_disabled':
      return { next: 'It is sent when somebody enables the endpoint.' }
    case 'rate_limited':
      return { next: 'It is sent as soon as the rate limit lets it.' }
    case 'behind_head':
      return { next: 'It is sent when the one before it has arrived or was skipped.' }
    default:
      return {
        next: nextAttemptAt === null ? 'It is sent as soon as there is room.' : 'The next attempt is made:',
      }
  }
}
