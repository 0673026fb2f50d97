/** Which endpoints are in trouble, of what kind, and which is worst. */
import { formatWait } from '../duration.ts'
import type { DisabledReason } from '../model.ts'
import type { Summary } from './series.ts'

/** The worst first. */
export const troubleKinds = ['disabled', 'paused', 'failing', 'throttled', 'limited', 'late', 'slow'] as const
export type TroubleKind = (typeof troubleKinds)[number]

/** What is known of an endpoint now. Times are moments of one scale. */
export interface EndpointCondition {
  readonly maxInFlight: number
  readonly rateLimitRps: number | null
  readonly disabledReason: DisabledReason | null
  readonly disabledAt: number | null
  readonly consecutiveFailures: number
  readonly failingSince: number | null
  /** Null: it is not paused by itself now. */
  readonly pausedUntil: number | null
  /** Of a delivery that has been due for long; null: none is. */
  readonly lateSince: number | null
  /** What it did in the last minutes; null: nothing is known. */
  readonly recent: Summary | null
  /** Of which `recent` is. */
  readonly recentSeconds: number
}

export interface Trouble {
  readonly kind: TroubleKind
  /** In a sentence. */
  readonly reason: string
  readonly since: number | null
  /** When it is sent to again by itself; null: nobody knows. */
  readonly until: number | null
  /** The higher, the worse. */
  readonly weight: number
}

/** An endpoint whose attempts take longer than this, every second one of them, holds up its own deliveries. */
const slowMs = 2000
/** From fewer attempts nothing is concluded. */
const leastAttempts = 10
/** Of attempts that failed. Below, retries see to it. */
const failingFrom = 0.1
/** Of a limit, so much in use is at the limit: what is measured is a mean. */
const atLimit = 0.7

/** Null: it is as it should be. */
export function troubleOf(condition: EndpointCondition, now: number): Trouble | null {
  return stopped(condition, now) ?? failing(condition, now) ?? heldUp(condition, now) ?? slow(condition)
}

function stopped({ disabledReason, disabledAt, ...rest }: EndpointCondition, now: number): Trouble | null {
  const { consecutiveFailures, failingSince, pausedUntil } = rest
  switch (disabledReason) {
    case 'gone':
      return trouble('disabled', 'disabled: the receiver answered 410 Gone', disabledAt, 90)
    case 'failing':
      return trouble('disabled', 'disabled: nothing succeeded for too long', disabledAt, 95)
    case 'operator':
      return trouble('disabled', 'disabled by hand', disabledAt, 15)
    case 'paused':
      return trouble('paused', 'paused by hand', disabledAt, 20)
    case null:
      break
  }
  if (pausedUntil === null) return null
  const until = { until: pausedUntil }
  if (consecutiveFailures === 0) {
    const reason = `the receiver asked for fewer requests, and gets none for ${formatWait(pausedUntil - now)}`
    return { ...trouble('throttled', reason, failingSince, 55), ...until }
  }
  const reason = `paused after ${consecutiveFailures} failures in a row; tried again in ${formatWait(pausedUntil - now)}`
  return { ...trouble('paused', reason, failingSince, 85), ...until }
}

function failing(condition: EndpointCondition, now: number): Trouble | null {
  const { consecutiveFailures, failingSince, recent } = condition
  const rate = recent !== null && recent.attemptCount >= leastAttempts ? recent.successRate : null
  if (failingSince !== null) {
    const times = consecutiveFailures > 1 ? `, the last ${consecutiveFailures} without an answer` : ''
    const reason = `failing: nothing has succeeded for ${formatWait(now - failingSince)}${times}`
    return trouble('failing', reason, failingSince, 75)
  }
  if (rate === null || 1 - rate < failingFrom) return null
  const failed = Math.round((1 - rate) * 100)
  return trouble('failing', `failing: ${failed} % of the last requests`, null, 50 + failed / 5)
}

/** Its deliveries wait for longer than they should, and something says for what. */
function heldUp(condition: EndpointCondition, now: number): Trouble | null {
  const { lateSince, rateLimitRps, maxInFlight, recent, recentSeconds } = condition
  if (lateSince === null) return null
  const waits = `deliveries have waited for ${formatWait(now - lateSince)}`
  const perSecond = (recent?.attemptCount ?? 0) / recentSeconds
  if (rateLimitRps !== null && perSecond >= rateLimitRps * atLimit) {
    return trouble('limited', `at its limit of ${rateLimitRps} requests per second: ${waits}`, lateSince, 48)
  }
  const inFlight = (perSecond * (recent?.latency.p50 ?? 0)) / 1000
  if (inFlight >= maxInFlight * atLimit) {
    return trouble('limited', `at its limit of ${maxInFlight} requests in flight: ${waits}`, lateSince, 48)
  }
  return trouble('late', waits, lateSince, 45)
}

function slow({ recent }: EndpointCondition): Trouble | null {
  const p50 = recent?.latency.p50 ?? 0
  if (recent === null || recent.attemptCount < leastAttempts || p50 < slowMs) return null
  return trouble('slow', `slow: half of its requests take ${formatWait(p50)} or longer`, null, 30)
}

function trouble(kind: TroubleKind, reason: string, since: number | null, weight: number): Trouble {
  return { kind, reason, since, until: null, weight }
}

/** The worst first; of equals the one that has been so for longest. */
export function byWeight(a: Trouble, b: Trouble): number {
  const sinceOf = ({ since }: Trouble) => since ?? Number.POSITIVE_INFINITY
  if (a.weight !== b.weight) return b.weight - a.weight
  return sinceOf(a) === sinceOf(b) ? 0 : sinceOf(a) - sinceOf(b)
}
