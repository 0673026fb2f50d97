import type { Endpoint } from '../client/index.ts'

/** In one sentence; null: it is as it should be. */
export function troubleOf(endpoint: Endpoint): string | null {
  const { state, disabledReason, pausedReason, pausedAt, failingSince, consecutiveFailures } = endpoint
  if (state === 'disabled') return `disabled${disabledReason === null ? '' : `: ${disabledReason}`}`
  if (state === 'paused' && pausedAt !== null)
    return `paused by hand${pausedReason ? `: ${pausedReason}` : ''}`
  if (state === 'paused') return `paused after ${consecutiveFailures} failures in a row`
  if (state === 'throttled') return 'the receiver asked for fewer requests'
  return failingSince === null ? null : 'failing: no request has succeeded since the time shown'
}
