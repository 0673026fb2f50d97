/** Keeps a test run from sending anything real, whatever part of Outhook would have sent it. */
import { inspect } from 'node:util'
import { OuthookError } from '../core/errors.ts'
import type { AttemptRequest, AttemptResult } from '../sender/port.ts'
import { currentInterceptor, interceptSends } from '../sender/send-guard.ts'

export interface GuardOptions {
  /** What every send is answered with instead; or what to answer by. Absent: every send fails loudly. */
  readonly answer?: GuardAnswer | ((send: GuardedSend) => GuardAnswer)
  /** Hosts that are sent to for real, such as those of a local receiver: `127.0.0.1`, `localhost:3000`. */
  readonly allow?: readonly string[]
}

/** A status, or more of an answer. A body that is neither text nor bytes is sent as JSON. */
export type GuardAnswer =
  | number
  | {
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: unknown
    }

export interface SendGuard {
  /** What would have been sent, oldest first; allowed hosts are not in it. */
  readonly sends: readonly GuardedSend[]
  /** Forgets them. */
  clear(): void
  /** Sends are real again. */
  release(): void
  [Symbol.dispose](): void
}

/** A request that was kept from the network. Its URL and headers may be secret and do not show when it is printed. */
export class GuardedSend {
  readonly method: string
  /** Scheme, host and port. */
  readonly origin: string
  readonly body: Uint8Array
  readonly #request: AttemptRequest

  constructor(request: AttemptRequest) {
    this.method = request.method
    this.origin = request.destination.url.origin
    this.body = request.body
    this.#request = request
  }

  get url(): string {
    return this.#request.destination.url.href
  }

  /** Names in lower case. */
  get headers(): Readonly<Record<string, string>> {
    return this.#request.headers
  }

  get text(): string {
    return Buffer.from(this.body).toString('utf8')
  }

  /** Throws when the body is not JSON. */
  get json(): unknown {
    return JSON.parse(this.text)
  }

  [inspect.custom](): string {
    return `GuardedSend(${this.method} ${this.origin}, ${this.body.length} bytes)`
  }
}

/**
 * From here on nothing is sent for real, by whatever part of Outhook in this process: neither `Webhook` nor what is
 * built on it, nor the deliveries of the library. A send fails with the error code `policy`, and so that nobody can
 * overlook it, an error is thrown outside of all promises besides: test runners report it and fail.
 * With `answer` sends are kept and answered instead.
 *
 * @example
 * guardSends() // in the set-up file of the test run: this one line is all
 * @example
 * const guard = guardSends({ answer: 204 })
 * await notifyCustomer()
 * expect(guard.sends[0]?.json).toEqual({ hello: 'world' })
 * guard.release()
 */
export function guardSends(options: GuardOptions = {}): SendGuard {
  const sends: GuardedSend[] = []
  const outer = currentInterceptor()
  const allowed = new Set(options.allow ?? [])
  const interceptor = {
    attempt(request: AttemptRequest, pass: () => Promise<AttemptResult>): Promise<AttemptResult> {
      const { url } = request.destination
      if (allowed.has(url.hostname) || allowed.has(url.host)) return pass()
      const send = new GuardedSend(request)
      sends.push(send)
      return Promise.resolve(answerTo(send, options.answer))
    },
  }
  interceptSends(interceptor)
  const release = () => {
    if (currentInterceptor() === interceptor) interceptSends(outer)
  }
  return {
    sends,
    clear: () => void sends.splice(0),
    release,
    [Symbol.dispose]: release,
  }
}

function answerTo(send: GuardedSend, answer: GuardOptions['answer']): AttemptResult {
  if (answer === undefined) return refuse(send)
  try {
    return toResult(typeof answer === 'function' ? answer(send) : answer)
  } catch (error) {
    throwOutside(error)
    return failed('the answer of the guard could not be made')
  }
}

function refuse(send: GuardedSend): AttemptResult {
  const message =
    `a test run tried to send to ${send.origin}, and guardSends() is on; ` +
    'answer it with guardSends({ answer }), or name the host in its allow list'
  throwOutside(new OuthookError('forbidden', message))
  return failed(message)
}

function failed(error: string): AttemptResult {
  return { kind: 'failure', errorClass: 'policy', error, httpStatus: null, latencyMs: 0 }
}

/** Where no `catch` of the code under test can swallow it. */
function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

function toResult(answer: GuardAnswer): AttemptResult {
  const { status, headers = {}, body } = typeof answer === 'number' ? { status: answer } : answer
  const pairs = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return {
    kind: 'response',
    httpStatus: status,
    response: { headers: pairs, body: toBytes(body), truncated: false },
    retryAfter: pairs.find(([name]) => name === 'retry-after')?.[1] ?? null,
    latencyMs: 0,
  }
}

function toBytes(body: unknown): Uint8Array {
  if (body === undefined) return new Uint8Array(0)
  if (body instanceof Uint8Array) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body), 'utf8')
}
