/** Dispatcher, recorder and maintenance, put together and started and stopped as one. */
import { urlOf } from '../core/captured-url.ts'
import type { Clock } from '../core/clock.ts'
import { type BreakerPolicy, isThrottled } from '../core/endpoint-health.ts'
import type { Logger } from '../core/logger.ts'
import { deliveryTrouble, isOperationalTopic, type NewDeliveryNotice } from '../core/operational-events.ts'
import type { Sender } from '../sender/port.ts'
import type { ClaimedDelivery, DeliveryOutcome, RecordResult, Retention, Store } from '../store/port.ts'
import type { AttemptActivity, DeliveryActivity } from './activity.ts'
import type { CredentialSource } from './credential-source.ts'
import { Dispatcher } from './dispatcher.ts'
import type { Recording } from './dispatcher-options.ts'
import { Maintenance } from './maintenance.ts'
import { OutcomeRecorder, type Recordable } from './recorder.ts'
import type { RoutingCache, Target } from './routing-cache.ts'

/** Until a delivery whose outcome the store does not take is attempted again. */
const refusedOutcomeMs = 60_000
/** Outcomes in memory, beyond which nothing new starts: each could be sent twice after a crash. */
const maxUnwritten = 1000

export interface DeliveryServiceOptions {
  readonly store: Store
  readonly sender: Sender
  readonly credentials: CredentialSource
  readonly routing: RoutingCache
  readonly activity: DeliveryActivity
  readonly clock: Clock
  readonly random: () => number
  readonly logger: Logger
  readonly breaker: BreakerPolicy
  /** A delivery is failing from so many failed attempts on; 0: never. */
  readonly failingAfter: number
  /** Tenants are to be told of deliveries. */
  readonly onNotices: () => void
  readonly retention: Retention
  /** Of lines of the audit log; 0 is for ever. */
  readonly auditRetentionMs: number
  readonly userAgent: string
  readonly maxInFlight: number
}

interface OutcomeContext {
  readonly delivery: ClaimedDelivery
  readonly target: Target
}

export class DeliveryService {
  readonly dispatcher: Dispatcher
  readonly maintenance: Maintenance
  readonly #options: DeliveryServiceOptions
  readonly #recorder: OutcomeRecorder<OutcomeContext>
  #hasRecorded = false
  #started = false
  #stopped: Promise<void> | null = null

  constructor(options: DeliveryServiceOptions) {
    const { store, clock, logger, breaker, retention } = options
    this.#options = options
    this.#recorder = new OutcomeRecorder({
      store,
      breaker,
      clock,
      logger,
      onRecorded: (batch, result) => this.#afterRecord(batch, result),
      onRefused: ({ context }) => this.dispatcher.giveBackLease(context.delivery, refusedOutcomeMs),
      onBlocked: (blocked) => {
        if (!blocked) this.dispatcher.wake()
      },
    })
    this.dispatcher = new Dispatcher({
      ...options,
      time: store.time,
      shares: store.cluster?.shares ?? null,
      tellPaces: store.cluster?.tellPaces,
      onOutcome: (outcome, delivery, target) =>
        this.#recorder.push({
          outcome: completed(outcome, { delivery, target, failingAfter: options.failingAfter }),
          context: { delivery, target },
        }),
      recording: () => this.#recording(),
    })
    this.maintenance = new Maintenance({
      store,
      retention,
      auditRetentionMs: options.auditRetentionMs,
      clock,
      logger,
      activity: options.activity,
      onDueWork: () => this.dispatcher.wake(),
      isQuiet: () => this.#isQuiet(),
    })
  }

  async start(): Promise<void> {
    if (this.#started) return
    this.#started = true
    for (const [targetId, health] of await this.#options.store.loadHealth()) {
      this.dispatcher.setHealth(targetId, health)
    }
    this.maintenance.start()
    this.dispatcher.start()
  }

  /** Drains: in-flight attempts get `deadlineMs` to end and be recorded; the rest is released. */
  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs)
    return this.#stopped
  }

  async #stop(deadlineMs: number): Promise<void> {
    const { store, clock, logger, sender } = this.#options
    await this.maintenance.stop()
    await this.dispatcher.stop(deadlineMs)
    const cancel = clock.schedule(Math.max(1000, deadlineMs), () => this.#recorder.abandon())
    await this.#recorder.flush()
    cancel()
    // What is still in flight was given back at the deadline; nobody waits for its answer.
    await sender.close({ abort: true })
    // No request is open any more, so the slots are free for others now rather than when the lease ends.
    await store.cluster?.shares.leave().catch((error: unknown) => {
      logger.warn({ err: error }, 'slots could not be given up; they are free when their lease ends')
    })
  }

  #recording(): Recording {
    const { blocked, unwritten } = this.#recorder
    if (blocked || unwritten >= maxUnwritten) return 'blocked'
    return unwritten >= maxUnwritten / 2 ? 'behind' : 'ready'
  }

  #isQuiet(): boolean {
    const hasRecorded = this.#hasRecorded
    this.#hasRecorded = false
    return !hasRecorded && this.dispatcher.inFlight === 0
  }

  #afterRecord(batch: readonly Recordable<OutcomeContext>[], result: RecordResult): void {
    const { activity, routing } = this.#options
    this.#hasRecorded = true
    batch.forEach(({ outcome, context }, index) => {
      // A success ends a pause that was forgotten elsewhere too, as by enabling the endpoint.
      if (outcome.next.state === 'succeeded' && result.recorded[index] === true) {
        this.dispatcher.setHealth(context.delivery.targetId, null)
      }
    })
    for (const [targetId, health] of result.health) {
      if (isThrottled(health)) this.dispatcher.paces.keepHere(targetId)
      this.dispatcher.setHealth(targetId, health)
    }
    this.#announcePauses(batch, result)
    for (const disabled of result.disabled) {
      routing.invalidate(disabled.tenantId)
      this.dispatcher.giveBackWaiting(disabled.endpointId)
      activity.tell('endpointDisabled', disabled)
    }
    if (result.disabled.length > 0) this.maintenance.applyChangesSoon()
    this.#announce(batch, result)
    // The next ones of ordered lines are due.
    let soonestMs = result.advanced ? 0 : Number.POSITIVE_INFINITY
    for (const { outcome } of batch) {
      if (outcome.next.state === 'retry_scheduled') soonestMs = Math.min(soonestMs, outcome.next.delayMs)
    }
    if (soonestMs < Number.POSITIVE_INFINITY) this.dispatcher.wake(soonestMs)
    else this.dispatcher.resume()
  }

  #announcePauses(batch: readonly Recordable<OutcomeContext>[], { health }: RecordResult): void {
    for (const [targetId, now] of health) {
      if (now !== null && now.pausedUntil === null) continue
      const of = batch.find(({ context }) => context.delivery.targetId === targetId)?.context.delivery
      if (of === undefined) continue
      if (now === null) {
        const { tenantId, endpointId } = of
        this.#options.activity.tell('endpointRecovered', { tenantId, endpointId })
        continue
      }
      const reason = isThrottled(now) ? 'throttled' : 'failing'
      this.#options.activity.tell('endpointPaused', {
        tenantId: of.tenantId,
        endpointId: of.endpointId,
        reason,
      })
    }
  }

  #announce(batch: readonly Recordable<OutcomeContext>[], result: RecordResult): void {
    const { activity, failingAfter } = this.#options
    const listened = listenedTo.some((name) => activity.listenerCount(name) > 0)
    batch.forEach(({ outcome, context }, index) => {
      if (result.recorded[index] === false) {
        activity.tell('staleOutcome', { deliveryId: outcome.deliveryId })
        return
      }
      const { lostClaims } = context.delivery
      if (lostClaims > 0) activity.tell('lostClaims', { deliveryId: outcome.deliveryId, count: lostClaims })
      if (listened) {
        const told = describeAttempt(outcome, context)
        if (outcome.attempt !== null) activity.tell('attempt', told)
        const trouble = deliveryTrouble(outcome, context.delivery, failingAfter)
        if (trouble === 'delivery.dead_lettered') activity.tell('deadLetter', told)
        if (trouble === 'delivery.failing') activity.tell('deliveryFailing', told)
      }
    })
    if (batch.some(({ outcome }) => outcome.notice !== undefined)) this.#options.onNotices()
    if (activity.listenerCount('recorded') === 0) return
    activity.tell('recorded', [...new Set(batch.map((item) => item.context.delivery.eventId))])
  }
}

const listenedTo = ['attempt', 'deadLetter', 'deliveryFailing'] as const

type Completing = OutcomeContext & Pick<DeliveryServiceOptions, 'failingAfter'>

/** With what only the target knows: what counts as too many failures, and what its tenant is told. */
function completed(outcome: DeliveryOutcome, context: Completing): DeliveryOutcome {
  const { breaker, told } = context.target
  // A success changes the health of an endpoint in the same way whatever its settings are.
  if (outcome.next.state === 'succeeded' || (breaker === null && told.size === 0)) return outcome
  return { ...outcome, breaker: breaker ?? undefined, notice: noticeOf(outcome, context) }
}

/** Where somebody has asked. What fails of such an event itself is told to nobody. */
function noticeOf(
  outcome: DeliveryOutcome,
  { delivery, target, failingAfter }: Completing,
): NewDeliveryNotice | undefined {
  const topic = deliveryTrouble(outcome, delivery, failingAfter)
  if (topic === null || !target.told.has(topic)) return undefined
  if (delivery.topic !== null && isOperationalTopic(delivery.topic)) return undefined
  const { attemptNo, httpStatus, errorClass, ...told } = describeAttempt(outcome, { delivery, target })
  return {
    topic,
    tenantId: told.tenantId,
    eventId: told.eventId,
    deliveryId: told.deliveryId,
    claimVersion: outcome.claimVersion,
    eventTopic: told.topic,
    endpointId: told.endpointId,
    subscriptionId: told.subscriptionId,
    url: told.url,
    attemptCount: attemptNo,
    lastHttpStatus: httpStatus,
    errorClass: outcome.next.state === 'dead_lettered' ? outcome.next.finalError : (errorClass ?? 'internal'),
  }
}

function describeAttempt(outcome: DeliveryOutcome, context: OutcomeContext): AttemptActivity {
  const { delivery, target } = context
  const { attempt, next } = outcome
  return {
    tenantId: delivery.tenantId,
    eventId: delivery.eventId,
    deliveryId: delivery.id,
    endpointId: delivery.endpointId,
    subscriptionId: delivery.subscriptionId,
    topic: delivery.topic,
    url: (attempt?.response && urlOf(attempt.response)) ?? target.destination.label,
    attemptNo: attempt?.attemptNo ?? delivery.attemptCount,
    status: attempt?.status ?? 'permanent_failure',
    httpStatus: attempt?.httpStatus ?? null,
    errorClass: attempt?.errorClass ?? (next.state === 'dead_lettered' ? next.finalError : null),
    error: attempt?.error ?? null,
    latencyMs: attempt?.latencyMs ?? 0,
    state: next.state,
    nextAttemptInMs: next.state === 'retry_scheduled' ? next.delayMs : null,
  }
}
