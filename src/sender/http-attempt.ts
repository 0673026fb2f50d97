/**
 * One request, from the call to its result:
 *
 *     queued ─► connecting ─► started ─► responding ─► settled
 *        └─────────────────────┘ (idle connection)        ▲
 *        any state, on error or deadline ─────────────────┘
 *
 * It listens to the answer itself, so that a request needs no closures. Whatever its connection says after the attempt
 * has settled is ignored: giving a connection up reports back here.
 */
import type { Clock } from '../core/clock.ts'
import type { CapturedResponse } from '../core/model.ts'
import { describeFailure, type Failure, type FailurePhase, failure } from './attempt-error.ts'
import { Deadline, type DeadlineOwner, type DeadlineQueue } from './deadlines.ts'
import type { AttemptRequest, AttemptResult } from './port.ts'
import type { Field, ResponseHead } from './response-head.ts'
import type { ResponseListener } from './response-reader.ts'

/** What all attempts of a sender share. */
export interface AttemptSettings {
  readonly clock: Clock
  readonly connectDeadlines: DeadlineQueue
  readonly headersDeadlines: DeadlineQueue
  readonly totalDeadlines: DeadlineQueue
  readonly maxResponseBytes: number
  readonly captureBytes: number
}

/** Whoever carries the attempt, told once that it is over. */
export interface AttemptCarrier {
  /** `reusable` is false when the connection may be in the middle of something. */
  release(attempt: HttpAttempt, reusable: boolean): void
  /** Its request was put off, and goes out now if it still may. */
  resume(attempt: HttpAttempt): void
}

/** Where the request goes; worked out once per URL. */
export interface AttemptTarget {
  /** With scheme and host when the request goes to an HTTP proxy as it is, without a tunnel. */
  readonly path: string
  /** `host`, or `host:port` where the port is not the scheme's own. */
  readonly host: string
  /** `host:port`, for messages. */
  readonly hostPort: string
  /** Present when the request goes to an HTTP proxy without a tunnel: `host:port` of the proxy. */
  readonly proxyHostPort?: string
  readonly proxyAuthorization?: string
}

const maxCapturedHeaders = 64
const maxCapturedHeaderChars = 16_384
const noBytes = new Uint8Array(0)

export class HttpAttempt implements ResponseListener, DeadlineOwner {
  readonly request: AttemptRequest
  readonly target: AttemptTarget
  carrier: AttemptCarrier | null = null
  settled = false
  readonly #settings: AttemptSettings
  readonly #resolve: (result: AttemptResult) => void
  readonly #total = new Deadline(this)
  /** Runs in the connect queue, also while it waits for a free connection, then in the headers queue. */
  readonly #phaseDeadline = new Deadline(this)
  readonly #startedAt: number
  #phase: FailurePhase = 'queued'
  #httpStatus: number | null = null
  #headers: readonly Field[] = []
  #retryAfter: string | null = null
  #brokeOff: string | null = null
  #body: Uint8Array = noBytes
  /** So many of its bytes are taken. */
  #bodyLength = 0
  #bytesSeen = 0
  #onAbort: (() => void) | null = null

  constructor(
    request: AttemptRequest,
    target: AttemptTarget,
    options: { settings: AttemptSettings; resolve: (result: AttemptResult) => void },
  ) {
    this.request = request
    this.target = target
    this.#settings = options.settings
    this.#resolve = options.resolve
    this.#startedAt = options.settings.clock.elapsed()
    options.settings.totalDeadlines.arm(this.#total, this.#startedAt)
    if (request.signal !== undefined) this.#obey(request.signal)
  }

  /** All connections are taken. It must not wait so long that the receiver has no time left to answer in. */
  startWaiting(): void {
    this.#settings.connectDeadlines.arm(this.#phaseDeadline, this.#settings.clock.elapsed())
  }

  /** A connection is being opened for it. */
  startConnecting(): void {
    if (this.settled) return
    this.#phase = 'connecting'
    this.#settings.connectDeadlines.arm(this.#phaseDeadline, this.#settings.clock.elapsed())
  }

  /** The request goes to the socket now. */
  startSending(): void {
    if (this.settled) return
    this.#phase = 'started'
    this.#settings.headersDeadlines.arm(this.#phaseDeadline, this.#settings.clock.elapsed())
  }

  onHead({ status, fields }: ResponseHead): void {
    if (this.settled) return
    if (status < 200) {
      this.fail(failure('connection', `${this.target.hostPort} changed the protocol, unasked (${status})`))
      return
    }
    this.#phaseDeadline.disarm()
    this.#httpStatus = status
    this.#headers = boundHeaders(fields)
    this.#retryAfter = fields.find(([name]) => name === 'retry-after')?.[1] ?? null
  }

  onBody(chunk: Buffer): void {
    if (this.settled) return
    const room = this.#settings.captureBytes - this.#bodyLength
    if (room > 0) this.#keep(chunk.length > room ? chunk.subarray(0, room) : chunk)
    this.#bytesSeen += chunk.length
    if (this.#bytesSeen > this.#settings.maxResponseBytes) this.#respond(false)
  }

  /** In bytes of its own: the chunk is a window into a buffer of up to 64 KiB, which would stay alive whole. */
  #keep(chunk: Uint8Array): void {
    const length = this.#bodyLength + chunk.length
    if (length > this.#body.length) {
      // Room for as much again, so that bytes that come one by one are not all copied for each.
      const room = this.#bodyLength === 0 ? length : Math.min(length * 2, this.#settings.captureBytes)
      const larger = new Uint8Array(room)
      larger.set(this.#body.subarray(0, this.#bodyLength))
      this.#body = larger
    }
    this.#body.set(chunk, this.#bodyLength)
    this.#bodyLength = length
  }

  onEnd(hasMore: boolean): void {
    this.#respond(!hasMore)
  }

  onInvalid(): void {
    this.fail(failure('connection', `the answer is not valid HTTP/1.1: ${this.target.hostPort}`))
  }

  /** Without end, and so far without saying anything. */
  onFlood(what: string): void {
    this.fail(failure('connection', `${this.target.hostPort} sent ${what}`))
  }

  /** The receiver ended the connection before the end of its answer. */
  onCut(): void {
    this.fail(
      failure('connection', `connection closed before the response was complete: ${this.target.hostPort}`),
    )
  }

  onError(error: unknown): void {
    if (this.settled) return
    this.fail(describeFailure(error, { phase: this.#phase, hostPort: this.target.hostPort }))
  }

  expired(deadline: Deadline): void {
    this.fail(deadline === this.#total ? this.#outOfTime() : this.#phaseOutOfTime())
  }

  /** After the headers it is no failure any more: the receiver has said what it thinks of the request. */
  fail(reason: Failure): void {
    if (this.#httpStatus !== null) {
      this.#brokeOff = reason.error
      this.#respond(false)
      return
    }
    this.#refuse(reason)
  }

  #refuse(reason: Failure): void {
    const result = {
      kind: 'failure',
      ...reason,
      ...(this.#phase === 'started' && { mayHaveArrived: true }),
      httpStatus: this.#httpStatus,
      latencyMs: this.#latencyMs(),
    } as const
    this.#settle(result, false)
  }

  #respond(reusable: boolean): void {
    const httpStatus = this.#httpStatus
    if (httpStatus === null) return
    const { proxyHostPort } = this.target
    if (httpStatus === 407 && proxyHostPort !== undefined) {
      this.#refuse(failure('connection', `the proxy ${proxyHostPort} refused the credentials (407)`))
      return
    }
    const response: CapturedResponse = {
      headers: this.#headers,
      body: this.#bodyLength === this.#body.length ? this.#body : this.#body.slice(0, this.#bodyLength),
      truncated: this.#brokeOff !== null || this.#bytesSeen > this.#bodyLength,
    }
    const latencyMs = this.#latencyMs()
    const retryAfter = this.#retryAfter
    const brokeOff = this.#brokeOff === null ? {} : { brokeOff: this.#brokeOff }
    this.#settle({ kind: 'response', httpStatus, response, retryAfter, ...brokeOff, latencyMs }, reusable)
  }

  #settle(result: AttemptResult, reusable: boolean): void {
    if (this.settled) return
    this.settled = true
    this.#total.disarm()
    this.#phaseDeadline.disarm()
    if (this.#onAbort !== null) this.request.signal?.removeEventListener('abort', this.#onAbort)
    this.#resolve(result)
    this.carrier?.release(this, reusable)
  }

  #obey(signal: AbortSignal): void {
    const onAbort = () => this.fail(failure('internal', 'the attempt was aborted by the caller'))
    if (signal.aborted) {
      onAbort()
      return
    }
    this.#onAbort = onAbort
    signal.addEventListener('abort', onAbort)
  }

  #outOfTime(): Failure {
    const { timeoutMs } = this.#settings.totalDeadlines
    const missing = this.#httpStatus === null ? 'no response' : 'the response body did not end'
    return failure('timeout', `${missing} within ${timeoutMs} ms: ${this.target.hostPort}`)
  }

  #phaseOutOfTime(): Failure {
    const { hostPort } = this.target
    const { connectDeadlines, headersDeadlines } = this.#settings
    // Waiting for a connection of ours to become free says nothing about the receiver.
    if (this.#phase === 'queued') {
      const waitedMs = connectDeadlines.timeoutMs
      return failure('internal', `no connection became free within ${waitedMs} ms; raise maxConnections`)
    }
    return this.#phase === 'started'
      ? failure('timeout', `no response headers within ${headersDeadlines.timeoutMs} ms: ${hostPort}`)
      : failure('timeout', `no connection within ${connectDeadlines.timeoutMs} ms: ${hostPort}`)
  }

  #latencyMs(): number {
    return Math.round(this.#settings.clock.elapsed() - this.#startedAt)
  }
}

/** The first ones; of the one that is too long, its beginning. The list itself when all of it is kept. */
function boundHeaders(fields: readonly Field[]): readonly Field[] {
  let chars = 0
  for (const [name, value] of fields) chars += name.length + value.length
  if (fields.length <= maxCapturedHeaders && chars <= maxCapturedHeaderChars) return fields
  let room = maxCapturedHeaderChars
  const kept: Field[] = []
  for (const [name, value] of fields) {
    room -= name.length
    if (room < 0 || kept.length === maxCapturedHeaders) break
    kept.push(value.length <= room ? [name, value] : [name, value.slice(0, room)])
    room -= Math.min(value.length, room)
  }
  return kept
}
