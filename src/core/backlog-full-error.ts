import { OuthookError } from './errors.ts'

/** Long enough for a receiver to work something off, and short enough that clients come back within their patience. */
const retryAfterSeconds = 5

/**
 * An ordered subscription has as many deliveries of the event's ordering key waiting as the setting
 * `ordered-key-backlog-max` allows. Nothing of the event was stored, and other keys are unaffected.
 *
 * @example
 * try { await hooks.publish(event) } catch (error) {
 *   if (error instanceof BacklogFullError) await setTimeout(error.retryAfterSeconds * 1000)
 *   else throw error
 * }
 */
export class BacklogFullError extends OuthookError {
  override readonly name = 'BacklogFullError'
  declare readonly code: 'backlog_full'
  declare readonly retryAfterSeconds: number

  constructor() {
    super('backlog_full', 'ordered key backlog at capacity; retry later', { retryAfterSeconds })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof OuthookError && value.code === 'backlog_full'
  }
}
