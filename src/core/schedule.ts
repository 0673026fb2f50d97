/** When the deliveries of an event are to be made: at a time, or some time after it was published. */
import { durationForms, parseDuration } from './duration.ts'
import { OuthookError } from './errors.ts'

export type Schedule =
  /** Milliseconds since the epoch, on the caller's clock. In the past: at once. */
  { readonly at: number } | { readonly afterMs: number }

/** Far enough for a year, whichever. */
export const maxScheduleMs = 366 * 86_400_000

/** How the face of the caller names what it gave. */
export interface ScheduleNames {
  readonly at: string
  readonly after: string
}

/**
 * @param at milliseconds since the epoch; undefined: not given
 * @param after a duration as it was given
 * Throws `invalid_request` for both, and for a duration that is none.
 */
export function toSchedule(
  { at, after }: { readonly at: number | undefined; readonly after: unknown },
  names: ScheduleNames,
): Schedule | null {
  if (after === undefined || after === null) return at === undefined ? null : { at }
  if (at !== undefined) {
    throw new OuthookError(
      'invalid_request',
      `${names.at} and ${names.after} are both given; give one of them`,
    )
  }
  const afterMs = parseDuration(after)
  if (afterMs === null) {
    throw new OuthookError('invalid_request', `${names.after} must be a duration: ${durationForms}`)
  }
  if (afterMs > maxScheduleMs) throw tooFar(names.after)
  return { afterMs }
}

/** Milliseconds from now; null: at once. Throws `invalid_request` for more than 366 days. */
export function waitOf(schedule: Schedule | null | undefined, now: number): number | null {
  if (schedule === null || schedule === undefined) return null
  const ms = 'at' in schedule ? schedule.at - now : schedule.afterMs
  if (ms > maxScheduleMs) throw tooFar('its time')
  return ms > 0 ? ms : null
}

function tooFar(name: string): OuthookError {
  return new OuthookError(
    'invalid_request',
    `${name} is more than 366 days ahead; publish the event later, or give an earlier time`,
  )
}
