/**
 * Test events: one signed request to an endpoint, made now, under the same guard and time limits as any attempt, and its
 * answer. It is no delivery: nothing of it is stored, counted or retried, it says nothing of the endpoint's health, and it
 * goes to one that is paused or disabled too, so that a receiver can be tried before it is enabled.
 */
import { splitUrl } from '../core/captured-url.ts'
import { OuthookError } from '../core/errors.ts'
import type { IdFactory } from '../core/ids.ts'
import type { CapturedResponse, ErrorClass } from '../core/model.ts'
import { retryProfiles } from '../core/retry-policy.ts'
import { checkTopic } from '../core/topics.ts'
import { type AttemptDeps, send } from '../delivery/attempt.ts'
import type { RoutingCache } from '../delivery/routing-cache.ts'
import { checkEndpointId } from './endpoint-checks.ts'
import { notFound } from './page.ts'

/** Of one process, to all endpoints together; to one endpoint there is one at a time. */
const maxAtOnce = 8
/** For a token that has to be fetched first. */
const patienceMs = 5000
const defaultTopic = 'outhook.test'
/** Says how an answer is called; nothing is tried again. */
const policy = retryProfiles.standard

export interface TestInput {
  /** Default `outhook.test`. */
  readonly topic?: string
  /** Default `{"test":true}`. */
  readonly payload?: unknown
}

export interface TestResult {
  readonly eventId: string
  readonly succeeded: boolean
  readonly httpStatus: number | null
  readonly errorClass: ErrorClass | null
  readonly error: string | null
  readonly latencyMs: number
  /** Null: there was none. */
  readonly response: CapturedResponse | null
}

export interface EndpointTestsOptions extends AttemptDeps {
  readonly routing: Pick<RoutingCache, 'get'>
  readonly ids: IdFactory
}

export class EndpointTests {
  readonly #options: EndpointTestsOptions
  readonly #running = new Set<string>()

  constructor(options: EndpointTestsOptions) {
    this.#options = options
  }

  /** Errors: not_found, rate_limited (one is under way), invalid_request (the topic), invalid_payload. */
  async test(tenantId: string, id: string, input: TestInput = {}): Promise<TestResult> {
    const { routing, ids } = this.#options
    const endpointId = checkEndpointId(id)
    const target = (await routing.get(tenantId)).targets.get(endpointId)
    if (target === undefined) throw notFound('endpoint')
    const delivery = {
      id: ids.next('dlv'),
      tenantId,
      eventId: ids.next('evt'),
      subscriptionId: null,
      endpointId,
      targetId: endpointId,
      topic: checkTopic(input.topic ?? defaultTopic, 'invalid_request'),
      metadata: null,
      traceContext: null,
      request: null,
      payload: bytesOf(input.payload),
      claimVersion: 1,
      attemptCount: 0,
      lostClaims: 0,
      createdAt: this.#options.time.now(),
    }
    this.#refuseMany(endpointId)
    this.#running.add(endpointId)
    try {
      const ended = await send(delivery, { target, policy, patienceMs }, this.#options)
      if (ended.status === 'wait') {
        throw new OuthookError('rate_limited', 'nothing can be sent to it just now; try again in a moment', {
          retryAfterSeconds: Math.max(1, Math.ceil(ended.waitMs / 1000)),
        })
      }
      const { status, httpStatus, errorClass, error, latencyMs, response } = ended
      return {
        eventId: delivery.eventId,
        succeeded: status === 'success',
        httpStatus,
        errorClass,
        // The answer says it itself.
        error: response === null ? error : null,
        latencyMs,
        response: response && splitUrl(response),
      }
    } finally {
      this.#running.delete(endpointId)
    }
  }

  #refuseMany(endpointId: string): void {
    if (!this.#running.has(endpointId) && this.#running.size < maxAtOnce) return
    throw new OuthookError('rate_limited', 'a test event is under way; wait for its answer', {
      retryAfterSeconds: 1,
    })
  }
}

function bytesOf(payload: unknown = { test: true }): Uint8Array {
  const text = JSON.stringify(payload)
  if (text === undefined)
    throw new OuthookError('invalid_payload', 'the payload is nothing that JSON can hold')
  return new TextEncoder().encode(text)
}
