/** Connections for several `Webhook`s to share. */

import { type Clock, createSystemClock } from '../core/clock.ts'
import { libraryWords } from '../core/face-words.ts'
import { type AddressPolicyOptions, createAddressPolicy } from './address-policy.ts'
import { createHttpSender } from './http-sender.ts'
import type { Sender } from './port.ts'
import { readNumber } from './read-number.ts'
import { readTimeout } from './webhook-settings.ts'

export interface SenderOptions {
  /** One attempt, for those who name no time of their own. Default 15 000. */
  readonly timeoutMs?: number
  /** Refuses private addresses, and http:// unless allowed. Off by default. */
  readonly guard?: boolean | AddressPolicyOptions
  /** Open connections in all. Default 1024. */
  readonly maxConnections?: number
  /** An idle connection is closed after this, or sooner if the receiver asks for it. Default 4000. */
  readonly idleMs?: number
  /** Certificate authorities in PEM to trust instead of the well-known ones. */
  readonly ca?: string | readonly string[]
  readonly clock?: Clock
}

const maxResponseBytes = 65_536

/**
 * Opens nothing by itself. Close it after the webhooks that use it. Errors: invalid_config.
 *
 * @example
 * const pool = createSender()
 * const [orders, alerts] = [new Webhook(ordersUrl, { pool }), new Webhook(alertsUrl, { pool })]
 */
export function createSender(options: SenderOptions = {}): Sender {
  const { guard = false, ca } = options
  const timeoutMs = readTimeout(options.timeoutMs) ?? 15_000
  const maxConnections = readNumber('maxConnections', options.maxConnections ?? 1024, { min: 1, whole: true })
  const idleMs = readNumber('idleMs', options.idleMs ?? 4000)
  return createHttpSender({
    clock: options.clock ?? createSystemClock(),
    guard: guard === false ? null : createAddressPolicy(guard === true ? {} : guard, libraryWords),
    connectTimeoutMs: timeoutMs,
    headersTimeoutMs: timeoutMs,
    totalTimeoutMs: timeoutMs,
    // Programs want all of what is read, not the part that a page shows.
    maxResponseBytes,
    captureBytes: maxResponseBytes,
    maxConnections,
    idleOriginMs: idleMs,
    ...(ca === undefined ? {} : { ca }),
  })
}
