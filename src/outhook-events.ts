/** What an `Outhook` tells its listeners of. */
import { nearestName } from './config/nearest-name.ts'
import type { AttemptActivity, EndpointDisabledActivity } from './delivery/activity.ts'
import type { ExpiringCertificate } from './delivery/certificate-watch.ts'
import { invalid } from './publish-input.ts'

export interface OuthookEvents {
  /** After each attempt, once its outcome is recorded. */
  attempt: [AttemptActivity]
  /** A delivery was given up. */
  deadLetter: [AttemptActivity]
  /** A delivery has failed `failingAfter` times, and is tried again. */
  deliveryFailing: [AttemptActivity]
  /** An endpoint answered 410 or has only failed for too long. */
  endpointDisabled: [EndpointDisabledActivity]
  /** One that was disabled is enabled again, whoever disabled and enabled it. */
  endpointEnabled: [EndpointDisabledActivity]
  /** A client certificate that is in use runs out within 30 days, 7 or 1; once for each. */
  certificateExpiring: [ExpiringCertificate]
}

const eventNames = Object.keys({
  attempt: true,
  deadLetter: true,
  deliveryFailing: true,
  endpointDisabled: true,
  endpointEnabled: true,
  certificateExpiring: true,
} satisfies Record<keyof OuthookEvents, true>)

/** Whoever listens to what never happens waits for ever. */
export function checkEventName(name: string): void {
  if (eventNames.includes(name)) return
  const nearest = nearestName(String(name).slice(0, 64), eventNames)
  const advice = nearest ? `did you mean ${nearest}?` : `there are ${eventNames.join(', ')}`
  throw invalid(`there is no event ${JSON.stringify(String(name).slice(0, 64))} to listen to; ${advice}`)
}
