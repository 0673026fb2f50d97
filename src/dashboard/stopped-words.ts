/**
 * Why nothing is sent to an endpoint, in the words that the server has for it where it lists endpoints in trouble, so that
 * it is called the same on every page.
 */

export const pausedByHand = 'paused by hand'

export const disabledWords = {
  operator: 'disabled by hand',
  gone: 'disabled: the receiver answered 410 Gone',
  failing: 'disabled: nothing succeeded for too long',
} as const

/** A reason that a newer server has is said as it is. */
export function disabledText(reason: string | null): string {
  if (reason === null) return 'disabled'
  return disabledWords[reason as keyof typeof disabledWords] ?? `disabled: ${reason}`
}
