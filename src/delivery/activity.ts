/** What happened in this process, told to whoever listens: the library's events, the logs, the metrics. */
import { EventEmitter } from 'node:events'
import { callListener } from '../core/listeners.ts'
import type { AttemptStatus, DeliveryState, DisabledReason, ErrorClass } from '../core/model.ts'
import type { RemovedRows } from '../store/port.ts'
import type { ExpiringCertificate } from './certificate-watch.ts'

/** One finished attempt, after its outcome was recorded. */
export interface AttemptActivity {
  readonly tenantId: string
  readonly eventId: string
  readonly deliveryId: string
  readonly endpointId: string | null
  readonly subscriptionId: string | null
  readonly topic: string | null
  /** Origin only; a path or query may hold a secret. */
  readonly url: string
  readonly attemptNo: number
  readonly status: AttemptStatus
  readonly httpStatus: number | null
  readonly errorClass: ErrorClass | null
  readonly error: string | null
  readonly latencyMs: number
  /** The delivery's state now. */
  readonly state: DeliveryState
  /** Until the next attempt; null when there is none. */
  readonly nextAttemptInMs: number | null
}

export interface EndpointDisabledActivity {
  readonly tenantId: string
  readonly endpointId: string
  readonly reason: DisabledReason
}

export interface EndpointPausedActivity {
  readonly tenantId: string
  readonly endpointId: string | null
  /** `failing`: it could not be reached several times in a row. `throttled`: it asked for fewer requests. */
  readonly reason: 'failing' | 'throttled'
}

/** Requests to it had failed, and one has succeeded. */
export type EndpointRecoveredActivity = Omit<EndpointPausedActivity, 'reason'>

export interface PayloadViolation {
  readonly tenantId: string
  readonly topic: string
  /** A JSON Pointer into the payload. */
  readonly path: string
  readonly message: string
  /** Whether the event was refused for it. */
  readonly refused: boolean
}

interface ActivityEvents {
  attempt: [AttemptActivity]
  /** A delivery was given up; follows its `attempt`. */
  deadLetter: [AttemptActivity]
  /** A delivery has failed as often as the setting says, and is tried again; follows its `attempt`. */
  deliveryFailing: [AttemptActivity]
  endpointDisabled: [EndpointDisabledActivity]
  /** One that was disabled, for the reason that is told, is enabled again; from one of all processes. */
  endpointEnabled: [EndpointDisabledActivity]
  /** A client certificate that is in use, or what its credential trusts, runs out within 30 days, 7 or 1; once for each in this process. */
  certificateExpiring: [ExpiringCertificate]
  /** An attempt of this process made its target wait, or wait for longer. */
  endpointPaused: [EndpointPausedActivity]
  /** A success of this process ended the failures of its target, and its pause if it had one. */
  endpointRecovered: [EndpointRecoveredActivity]
  /** A delivery has its outcome that had been claimed so often before, each time without one. */
  lostClaims: [{ readonly deliveryId: string; readonly count: number }]
  /** Targets had due work that nothing pointed to. */
  targetsRepaired: [{ readonly count: number }]
  /** An event was published that so many subscriptions did not get for their filter. */
  filtered: [{ readonly count: number }]
  /** A payload was not as the schema of its event type says. */
  violation: [PayloadViolation]
  /** The store was looked through for rows past their retention. */
  retentionRun: [{ readonly removed: RemovedRows; readonly elapsedMs: number }]
  /** The store refused or dropped an outcome that was no longer this worker's to record. */
  staleOutcome: [{ readonly deliveryId: string }]
  /** A batch of outcomes was written: the events whose deliveries moved. */
  recorded: [readonly string[]]
}

export type ActivityName = keyof ActivityEvents

export class DeliveryActivity extends EventEmitter<ActivityEvents> {
  readonly #onListenerError: (error: unknown, name: ActivityName) => void

  /** A listener that throws or rejects is its owner's defect: it is told here and stops nothing. */
  constructor(onListenerError: (error: unknown, name: ActivityName) => void) {
    super()
    this.#onListenerError = onListenerError
    this.setMaxListeners(0)
  }

  tell<Name extends ActivityName>(name: Name, ...args: ActivityEvents[Name]): void {
    // The raw ones: those given to `once` take themselves off when they are called.
    for (const listener of this.rawListeners(name)) {
      callListener(
        () => Reflect.apply(listener, this, args),
        (error) => this.#onListenerError(error, name),
      )
    }
  }
}
