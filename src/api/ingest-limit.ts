/**
 * The rate of a producer key, looked at before the body is read. An event costs one token, whatever becomes of it, also
 * one that was published before; a batch costs one for each of its events.
 */
import type { IncomingMessage } from 'node:http'
import { OuthookError } from '../core/errors.ts'
import type { KeyRates, TakenTokens } from '../engine/key-rates.ts'
import type { Principal } from '../engine/principal.ts'
import type { Deadlines } from './deadlines.ts'

export interface IngestLimitOptions {
  /** Asked for with each event, because the engine is there once the server has started. */
  readonly rates: () => KeyRates
  /** Of keys that have none of their own; 0: no limit. */
  readonly defaultRps: number
  readonly deadlines: Deadlines
}

const unlimited: TakenTokens = { count: Number.POSITIVE_INFINITY, waitMs: 0 }

export class IngestLimit {
  readonly #options: IngestLimitOptions
  /** They have spent their token and are answered by the framework after all. */
  readonly #paid = new WeakSet<IncomingMessage>()

  constructor(options: IngestLimitOptions) {
    this.#options = options
  }

  /** Spends the token of one event. False: there is none, or only the store knows. */
  payNow(request: IncomingMessage, principal: Principal): boolean {
    const limit = this.#limitOf(principal)
    if (limit === null) return true
    const taken = this.#options.rates().takeNow(limit.keyId, { rps: limit.rps, count: 1 })
    if (taken === null || taken.count === 0) return false
    this.#paid.add(request)
    return true
  }

  /** Before a body of one or more events is read. */
  check(request: IncomingMessage, principal: Principal, done: (error?: Error) => void): void {
    const taken = this.#paid.has(request) ? unlimited : this.take(principal, 1)
    if (!(taken instanceof Promise)) {
      done(refusalOf(taken))
      return
    }
    let answered = false
    const answer = (error?: unknown): void => {
      if (!answered) done(error as Error | undefined)
      answered = true
    }
    const unwatch = this.#options.deadlines.watch(() => answer(late()))
    taken.finally(unwatch).then((found) => answer(refusalOf(found)), answer)
  }

  /** As many as there are, `count` at most. */
  take(principal: Principal, count: number): TakenTokens | Promise<TakenTokens> {
    const limit = this.#limitOf(principal)
    return limit === null ? unlimited : this.#options.rates().take(limit.keyId, { rps: limit.rps, count })
  }

  #limitOf(principal: Principal): { readonly keyId: string; readonly rps: number } | null {
    if (principal.kind !== 'producer') return null
    const rps = principal.rateLimitRps ?? this.#options.defaultRps
    return rps === 0 ? null : { keyId: principal.keyId, rps }
  }
}

export function rateExceeded(waitMs: number): OuthookError {
  return new OuthookError('rate_limited', 'per-key ingest rate exceeded', {
    retryAfterSeconds: waitMs / 1000,
  })
}

function refusalOf({ count, waitMs }: TakenTokens): OuthookError | undefined {
  return count >= 1 ? undefined : rateExceeded(waitMs)
}

function late(): OuthookError {
  const message = 'the rate of the key could not be looked up in time; send the event again'
  return new OuthookError('store_unavailable', message, { publicDetail: message })
}
