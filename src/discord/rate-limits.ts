/**
 * Discord's limits, kept before Discord has to answer 429: what its `x-ratelimit-*` headers said last, per webhook
 * and kind of request, and the limit on all requests together.
 *
 * A bucket is unknown until its first answer, and one request at a time goes out until then. After that:
 *
 *     window open, slots left ─► take one          window open, none left ─► wait for its end
 *     window over ─► all slots, less those still in flight: they may count in the new window
 */
import type { Clock } from '../core/clock.ts'
import { createSystemClock } from '../core/clock.ts'
import { maxRetryAfterMs, retryAfterMs, secondsInBodyMs } from '../core/retry-after.ts'
import type { Pacer } from '../sender/pacer.ts'
import type { AttemptResult, RequestMethod } from '../sender/port.ts'
import { readNumber } from '../sender/read-number.ts'
import { parseResponse } from '../sender/webhook-result.ts'

export interface DiscordRateLimitsOptions {
  readonly clock?: Clock
  /** Requests to Discord per second, all webhooks together. Default 50, which is Discord's limit. */
  readonly globalPerSecond?: number
}

interface Bucket {
  /** Null until an answer told it. */
  limit: number | null
  remaining: number
  /** On the clock's `elapsed()` scale; null between the start of a window and its first answer. */
  resetAt: number | null
  /** After a 429. */
  closedUntil: number
  inFlight: number
  takenAt: number
}

interface Origin {
  closedUntil: number
  /** When each of the last requests went, oldest first. */
  readonly taken: number[]
}

const maxBuckets = 10_000
/** Until something that is in flight has told more. */
const lookAgainMs = 20
/** Added to what Discord says: its clock and ours tick apart. */
const marginMs = 10
const marginAfter429Ms = 50
const waitWithoutWordMs = 1000
/** What was taken so long ago and never observed will not be. */
const staleMs = 120_000

/** Shared by every `DiscordWebhook` of the process with the same clock: two objects with one URL have one limit. */
const shared = new WeakMap<Clock, DiscordRateLimits>()
let systemClock: Clock | null = null

export function sharedRateLimits(clock: Clock | undefined): DiscordRateLimits {
  systemClock ??= createSystemClock()
  const key = clock ?? systemClock
  let limits = shared.get(key)
  if (limits === undefined) {
    limits = new DiscordRateLimits({ clock: key })
    shared.set(key, limits)
  }
  return limits
}

export class DiscordRateLimits {
  readonly #clock: Clock
  readonly #globalPerSecond: number
  readonly #buckets = new Map<string, Bucket>()
  readonly #origins = new Map<string, Origin>()

  /** Errors: invalid_config. */
  constructor(options: DiscordRateLimitsOptions = {}) {
    this.#clock = options.clock ?? createSystemClock()
    this.#globalPerSecond = readNumber('globalPerSecond', options.globalPerSecond ?? 50, { min: 1 })
  }

  /** Sending, editing and deleting have buckets of their own. */
  pacerFor(method: RequestMethod): Pacer {
    return {
      delayMs: (url) => this.#take(method, url),
      observe: (url, result) => this.#observe(method, url, result),
    }
  }

  #take(method: RequestMethod, url: URL): number {
    const now = this.#clock.elapsed()
    const origin = this.#originOf(url)
    const bucket = this.#bucketOf(method, url)
    const wait = Math.max(this.#globalWait(origin, now), bucketWait(bucket, now))
    if (wait > 0) return wait
    bucket.remaining--
    bucket.inFlight++
    bucket.takenAt = now
    origin.taken.push(now)
    return 0
  }

  #globalWait(origin: Origin, now: number): number {
    if (now < origin.closedUntil) return origin.closedUntil - now
    while (origin.taken.length > 0 && (origin.taken[0] ?? 0) <= now - 1000) origin.taken.shift()
    if (origin.taken.length < this.#globalPerSecond) return 0
    return (origin.taken[0] ?? now) + 1000 - now
  }

  #observe(method: RequestMethod, url: URL, result: AttemptResult): void {
    const now = this.#clock.elapsed()
    const bucket = this.#bucketOf(method, url)
    bucket.inFlight = Math.max(0, bucket.inFlight - 1)
    const headers = result.kind === 'response' ? new Map(result.response.headers) : noHeaders
    readHeaders(bucket, headers, now)
    if (result.kind === 'response' && result.httpStatus === 429) {
      const { waitMs, ofAll } = readLimited(result.response.body, headers, this.#clock.now())
      const target = ofAll ? this.#originOf(url) : bucket
      target.closedUntil = Math.max(target.closedUntil, now + waitMs + marginAfter429Ms)
    }
  }

  #originOf(url: URL): Origin {
    const key = addressOf(url)
    let origin = this.#origins.get(key)
    if (origin === undefined) {
      origin = { closedUntil: 0, taken: [] }
      this.#origins.set(key, origin)
    }
    return origin
  }

  #bucketOf(method: RequestMethod, url: URL): Bucket {
    const path = url.pathname.replace(/\/messages\/[^/]*$/, '/messages/').replace(/^\/api\/v\d+\//, '/api/')
    const key = `${method} ${addressOf(url)}${path}`
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = { limit: null, remaining: 0, resetAt: null, closedUntil: 0, inFlight: 0, takenAt: 0 }
      this.#buckets.set(key, bucket)
      const oldest = this.#buckets.keys().next()
      if (this.#buckets.size > maxBuckets && !oldest.done) this.#buckets.delete(oldest.value)
    }
    return bucket
  }
}

/** Discord's own names lead to the same limits. */
function addressOf(url: URL): string {
  return /^(?:(?:ptb|canary)\.)?discord(?:app)?\.com$/.test(url.host) ? 'https://discord.com' : url.origin
}

const noHeaders: ReadonlyMap<string, string> = new Map()

function bucketWait(bucket: Bucket, now: number): number {
  if (now < bucket.closedUntil) return bucket.closedUntil - now
  if (now - bucket.takenAt > staleMs) bucket.inFlight = 0
  if (bucket.limit === null) return bucket.inFlight > 0 ? lookAgainMs : 0
  if (bucket.resetAt !== null && now >= bucket.resetAt) {
    bucket.remaining = bucket.limit - bucket.inFlight
    bucket.resetAt = null
  }
  if (bucket.remaining > 0) return 0
  if (bucket.resetAt !== null) return bucket.resetAt - now
  if (bucket.inFlight > 0) return lookAgainMs
  bucket.limit = null
  return 0
}

function readHeaders(bucket: Bucket, headers: ReadonlyMap<string, string>, now: number): void {
  const limit = numberIn(headers.get('x-ratelimit-limit'))
  const remaining = numberIn(headers.get('x-ratelimit-remaining'))
  const resetAfter = numberIn(headers.get('x-ratelimit-reset-after'))
  if (limit === null || remaining === null || resetAfter === null) return
  // Those in flight may not be counted in what the answer says.
  const left = remaining - bucket.inFlight
  bucket.remaining = bucket.limit === null ? left : Math.min(bucket.remaining, left)
  bucket.limit = limit
  bucket.resetAt = now + Math.min(resetAfter * 1000, maxRetryAfterMs) + marginMs
}

/** `ofAll`: it concerns every webhook, and so everything that goes to this address. */
function readLimited(
  body: Uint8Array,
  headers: ReadonlyMap<string, string>,
  now: number,
): { readonly waitMs: number; readonly ofAll: boolean } {
  const answer = parseResponse(body)
  const said: Readonly<Record<string, unknown>> | null =
    typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : null
  const asked = secondsInBodyMs(said?.retry_after) ?? retryAfterMs(headers.get('retry-after'), now)
  const ofAll =
    // Not Discord's own answer but that of Cloudflare before it, which has had enough of our address.
    (said === null && !headers.has('x-ratelimit-limit') && !headers.has('x-ratelimit-scope')) ||
    said?.global === true ||
    headers.get('x-ratelimit-global') === 'true' ||
    headers.get('x-ratelimit-scope') === 'global'
  return { waitMs: asked ?? waitWithoutWordMs, ofAll }
}

function numberIn(text: string | undefined): number | null {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : null
}
