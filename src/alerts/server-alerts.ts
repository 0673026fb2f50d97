/**
 * The server's own alerts: it listens to what the engine tells, looks at the backlog once in a while, and says what
 * people should know. Decides only; where it goes is the `AlertSender`'s business.
 *
 *     dead letter ─► P1          backlog at its limit and growing ─► P2, ten times the limit ─► P1
 *     endpoint disabled ─► P1    endpoint delivers again, backlog below half of its limit ─► P3
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Alert } from './alert.ts'
import type { AlertSender } from './alert-sender.ts'

/** What it needs of a finished attempt. */
export interface AlertedAttempt {
  readonly tenantId: string
  readonly deliveryId: string
  readonly endpointId: string | null
  readonly topic: string | null
  readonly url: string
  readonly attemptNo: number
  readonly status: string
  readonly httpStatus: number | null
  readonly errorClass: string | null
}

export interface AlertedDisabling {
  readonly tenantId: string
  readonly endpointId: string
  readonly reason: string
}

/** The part of the engine's emitter that is listened to. */
export interface AlertedActivity {
  on(name: 'attempt' | 'deadLetter', listener: (attempt: AlertedAttempt) => void): unknown
  on(name: 'endpointDisabled', listener: (disabled: AlertedDisabling) => void): unknown
  off(name: 'attempt' | 'deadLetter', listener: (attempt: AlertedAttempt) => void): unknown
  off(name: 'endpointDisabled', listener: (disabled: AlertedDisabling) => void): unknown
}

export interface AlertedCounts {
  readonly deliveries: { readonly pending: number; readonly retry_scheduled: number }
  readonly oldestDueMs: number | null
}

export interface ServerAlertOptions {
  readonly activity: AlertedActivity
  readonly counts: () => Promise<AlertedCounts>
  readonly alerts: Pick<AlertSender, 'notify'>
  readonly clock: Clock
  readonly log: Logger
  /** Waiting deliveries from which on a growing backlog is told. 0: never. Default 10 000. */
  readonly backlogLimit?: number
  /** How often the backlog is looked at. Default 60 000. */
  readonly checkEveryMs?: number
}

export interface ServerAlerts {
  start(): void
  /** May be called twice. */
  stop(): void
}

/** Endpoints whose recovery is worth telling; beyond that the oldest is forgotten. */
const maxTroubled = 10_000
const urgentFactor = 10

export function createServerAlerts(options: ServerAlertOptions): ServerAlerts {
  return new ActivityAlerts(options)
}

class ActivityAlerts implements ServerAlerts {
  readonly #options: ServerAlertOptions
  readonly #troubled = new Set<string>()
  #toldBacklog = 0
  #lastBacklog = 0
  #running = false
  #cancelTimer: (() => void) | null = null

  constructor(options: ServerAlertOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    const { activity } = this.#options
    activity.on('attempt', this.#onAttempt)
    activity.on('deadLetter', this.#onDeadLetter)
    activity.on('endpointDisabled', this.#onDisabled)
    this.#scheduleLook()
  }

  stop(): void {
    this.#running = false
    const { activity } = this.#options
    activity.off('attempt', this.#onAttempt)
    activity.off('deadLetter', this.#onDeadLetter)
    activity.off('endpointDisabled', this.#onDisabled)
    this.#cancelTimer?.()
    this.#cancelTimer = null
  }

  readonly #onAttempt = (attempt: AlertedAttempt): void => {
    if (attempt.status !== 'success' || attempt.endpointId === null) return
    if (!this.#troubled.delete(attempt.endpointId)) return
    this.#tell({
      severity: 'P3',
      title: 'An endpoint delivers again',
      key: `recovered ${attempt.endpointId}`,
      fields: fieldsOf(attempt),
    })
  }

  readonly #onDeadLetter = (attempt: AlertedAttempt): void => {
    const target = attempt.endpointId ?? originOf(attempt.url)
    this.#trouble(attempt.endpointId)
    this.#tell({
      severity: 'P1',
      title: 'A delivery was given up',
      description: `It is in the dead letters, from where it can be replayed: outhook dlq replay ${attempt.deliveryId}`,
      key: `dead letter ${attempt.tenantId} ${target}`,
      fields: [
        ...fieldsOf(attempt),
        { name: 'attempts', value: attempt.attemptNo },
        { name: 'last answer', value: attempt.httpStatus ?? attempt.errorClass ?? 'none' },
        { name: 'delivery', value: attempt.deliveryId },
      ],
    })
  }

  readonly #onDisabled = ({ tenantId, endpointId, reason }: AlertedDisabling): void => {
    // Somebody did it on purpose, and knows.
    const byOperator = reason === 'operator'
    if (!byOperator) this.#trouble(endpointId)
    this.#tell({
      severity: byOperator ? 'P3' : 'P1',
      title: 'An endpoint was disabled',
      description: describeReason(reason),
      key: `disabled ${endpointId}`,
      fields: [
        { name: 'endpoint', value: endpointId },
        { name: 'tenant', value: tenantId },
        { name: 'reason', value: reason },
      ],
    })
  }

  #scheduleLook(): void {
    const { clock, backlogLimit = 10_000, checkEveryMs = 60_000 } = this.#options
    if (backlogLimit === 0) return
    this.#cancelTimer = clock.schedule(checkEveryMs, () => {
      this.#look(backlogLimit).then(() => {
        if (this.#running) this.#scheduleLook()
      })
    })
  }

  /** Never rejects. */
  async #look(limit: number): Promise<void> {
    try {
      const { deliveries, oldestDueMs } = await this.#options.counts()
      if (this.#running)
        this.#judgeBacklog(deliveries.pending + deliveries.retry_scheduled, { limit, oldestDueMs })
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the backlog could not be read for the alerts')
    }
  }

  /** Told once, and again each time that it has doubled since. */
  #judgeBacklog(
    backlog: number,
    given: { readonly limit: number; readonly oldestDueMs: number | null },
  ): void {
    const { limit, oldestDueMs } = given
    const isGrowing = backlog > this.#lastBacklog
    this.#lastBacklog = backlog
    const oldest = oldestDueMs === null ? 'none is due' : `${Math.round(oldestDueMs / 1000)} s`
    const fields = [
      { name: 'waiting', value: backlog },
      { name: 'longest overdue', value: oldest },
    ]
    if (backlog >= limit && isGrowing && backlog >= this.#toldBacklog * 2) {
      this.#toldBacklog = backlog
      const severity = backlog >= limit * urgentFactor ? 'P1' : 'P2'
      this.#tell({ severity, title: 'The backlog of deliveries grows', key: `backlog ${backlog}`, fields })
    } else if (this.#toldBacklog > 0 && backlog < limit / 2) {
      this.#toldBacklog = 0
      this.#tell({
        severity: 'P3',
        title: 'The backlog of deliveries is small again',
        key: 'backlog ok',
        fields,
      })
    }
  }

  #trouble(endpointId: string | null): void {
    if (endpointId === null) return
    this.#troubled.add(endpointId)
    const oldest = this.#troubled.keys().next()
    if (this.#troubled.size > maxTroubled && !oldest.done) this.#troubled.delete(oldest.value)
  }

  #tell(alert: Alert): void {
    this.#options.alerts.notify({ footer: 'outhook', ...alert })
  }
}

function fieldsOf({ endpointId, url, topic, tenantId }: AlertedAttempt) {
  return [
    { name: 'endpoint', value: endpointId ?? 'none' },
    // A path can be a secret: that of a Discord webhook is.
    { name: 'receiver', value: originOf(url) },
    { name: 'topic', value: topic ?? 'none' },
    { name: 'tenant', value: tenantId },
  ]
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'unknown'
}

function describeReason(reason: string): string {
  switch (reason) {
    case 'gone':
      return 'It answered 410 Gone. Its deliveries wait until somebody enables it.'
    case 'failing':
      return 'It has only failed for days. Its deliveries wait until somebody enables it.'
    default:
      return 'Its deliveries wait until it is enabled.'
  }
}
