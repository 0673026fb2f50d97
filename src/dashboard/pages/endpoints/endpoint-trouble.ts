import type { Endpoint } from '../../../client/index.ts'
import { disabledText, pausedByHand } from '../../stopped-words.ts'

interface EndpointTrouble {
  readonly text: string
  /** The moment that the text ends with; null: it ends by itself. */
  readonly since: string | null
}

/** Null: it is as it should be. */
export function troubleOf(endpoint: Endpoint): EndpointTrouble | null {
  const { failingSince } = endpoint
  const text = whyStopped(endpoint)
  if (text !== null) return { text, since: null }
  return failingSince === null ? null : { text: 'failing: nothing has succeeded since', since: failingSince }
}

function whyStopped(endpoint: Endpoint): string | null {
  const { state, disabledReason, pausedReason, pausedAt, consecutiveFailures } = endpoint
  if (state === 'disabled') return disabledText(disabledReason)
  if (state === 'paused' && pausedAt !== null) {
    return `${pausedByHand}${pausedReason ? `: ${pausedReason}` : ''}`
  }
  if (state === 'paused') return `paused after ${consecutiveFailures} failures in a row`
  return state === 'throttled' ? 'the receiver asked for fewer requests' : null
}
