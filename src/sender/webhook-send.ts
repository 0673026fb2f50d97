/**
 * One send, from the first try to its result. All counting is in here, so that sends which run at the same time
 * have nothing to mix up.
 *
 *     choose URL ─► wait ─► proxy ─► attempt ─► judge ─┬─► result
 *          ▲                  ▲                        │
 *          │                  └── transport, proxies ──┤   (maxProxyRetries)
 *          └──────────── retry, other URL ─────────────┘   (maxRetries)
 */
import { randomUUID } from 'node:crypto'
import { parseCustomHeaders } from '../core/custom-headers.ts'
import { OuthookError } from '../core/errors.ts'
import { callListener, warnOfListener } from '../core/listeners.ts'
import { signRequest } from '../core/signing.ts'
import { judgeAttempt, type Reason, type Verdict } from './judge-attempt.ts'
import type { Pacer } from './pacer.ts'
import { pause } from './pause.ts'
import type { AttemptRequest, AttemptResult, HttpAddress, Sender } from './port.ts'
import { type ChosenProxy, ProviderError, type ProxyChooser } from './proxy-chooser.ts'
import type { SendOptions } from './webhook-options.ts'
import { type WebhookErrorCode, WebhookResult } from './webhook-result.ts'
import { type Headers, type PoolUrl, readTimeout, type WebhookSettings } from './webhook-settings.ts'

export interface SendInput {
  readonly settings: WebhookSettings
  readonly pool: Sender
  readonly proxies: ProxyChooser | null
  /** In the order to try them in. */
  readonly urls: readonly PoolUrl[]
  readonly body: Uint8Array
  readonly contentType: string
  readonly options: SendOptions
}

interface Target {
  readonly text: string
  readonly url: URL
  /** On the clock's `elapsed()` scale: not to be tried again before. */
  notBefore: number
}

interface Ending extends Reason {
  readonly retryAfterMs?: number
  readonly cause?: unknown
}

/** Everything that a send can fail with before there is a request to make. */
class SendRefused extends Error {
  readonly ending: Ending

  constructor(ending: Ending) {
    super(ending.text)
    this.ending = ending
  }
}

export class WebhookSend {
  readonly #input: SendInput
  #targets: Target[] = []
  #url = ''
  #attempts = 0
  #retries = 0
  #rotations = 0
  #proxy: ChosenProxy | null = null
  /** Stays when the proxy is given up: the result names the last one. */
  #usedProxy: ChosenProxy | null = null
  #failedProxy: ChosenProxy | null = null
  #last: AttemptResult | null = null
  #headers: Headers = {}
  #timeoutMs: number | undefined
  #id: string | null = null

  constructor(input: SendInput) {
    this.#input = input
    this.#url = input.urls[0]?.text ?? ''
  }

  /** Never rejects. */
  async run(): Promise<WebhookResult> {
    try {
      this.#prepare()
      return this.#finish(await this.#tryUntilDone())
    } catch (error) {
      if (error instanceof SendRefused) return this.#finish(error.ending)
      if (error instanceof ProviderError) {
        // The wait for a provider ends with the signal.
        if (this.#aborted) return this.#finish(aborted)
        return this.#finish({ code: 'proxy_provider', text: error.message, cause: error.cause })
      }
      const text = 'the send failed by an error of its own; its cause is in result.cause'
      return this.#finish({ code: 'internal', text, cause: error })
    }
  }

  #prepare(): void {
    const { settings, options, contentType, urls } = this.#input
    this.#targets = urls.flatMap(({ text, url }) =>
      url === null ? [] : [{ text, url: locate(url, options), notBefore: 0 }],
    )
    if (this.#targets.length === 0) {
      throw new SendRefused({ code: 'invalid_url', text: 'this is not a URL; write it whole, with https://' })
    }
    this.#headers = { 'content-type': contentType, ...settings.headers }
    this.#timeoutMs = settings.ownTimeoutMs
    try {
      if (options.headers !== undefined) {
        const own = parseCustomHeaders(options.headers)
        settings.redactor.addHeaders(own)
        this.#headers = { ...this.#headers, ...own }
      }
      this.#timeoutMs = readTimeout(options.timeoutMs) ?? this.#timeoutMs
    } catch (error) {
      if (!(error instanceof OuthookError)) throw error
      throw new SendRefused({ code: 'invalid_request', text: error.message })
    }
    if (settings.signing !== null) this.#id = readId(options.id) ?? `msg_${randomUUID()}`
  }

  /** Null when it succeeded. */
  async #tryUntilDone(): Promise<Ending | null> {
    const { settings, proxies, pool, options } = this.#input
    for (;;) {
      const target = this.#nextTarget()
      this.#url = target.text
      if (target.notBefore > 0) await this.#pauseFor(target.notBefore - settings.clock.elapsed())
      if (proxies !== null && this.#proxy === null && !this.#aborted) {
        this.#proxy = await proxies.choose(options.signal)
        this.#usedProxy = this.#proxy
      }
      // Last: a slot that is taken is used.
      if (settings.pacer !== null) await this.#waitForSlot(settings.pacer, target)
      if (this.#aborted) return aborted
      this.#attempts++
      const result = await pool.attempt(this.#requestTo(target))
      this.#last = result
      settings.pacer?.observe(target.url, result)
      const ending = this.#judge(target, result)
      if (this.#failedProxy !== null) await proxies?.burn(this.#failedProxy, options.signal)
      this.#failedProxy = null
      if (ending !== 'again') return ending
    }
  }

  get #aborted(): boolean {
    return this.#input.options.signal?.aborted === true
  }

  async #pauseFor(ms: number): Promise<void> {
    const { settings, options } = this.#input
    if (ms > 0) await pause(ms, { clock: settings.clock, signal: options.signal })
  }

  /** The one that may be tried soonest; of equals the one that stands first. */
  #nextTarget(): Target {
    let best = this.#targets[0] as Target
    for (const target of this.#targets) if (target.notBefore < best.notBefore) best = target
    return best
  }

  async #waitForSlot(pacer: Pacer, { url }: Target): Promise<void> {
    const { maxRetryAfterMs } = this.#input.settings
    while (!this.#aborted) {
      const ms = pacer.delayMs(url)
      if (ms <= 0) return
      if (ms > maxRetryAfterMs) {
        const text = `the receiver's limit has room again in ${Math.ceil(ms / 1000)} s, later than maxRetryAfterMs`
        throw new SendRefused({ code: 'rate_limited', text, retryAfterMs: Math.ceil(ms) })
      }
      await this.#pauseFor(ms)
    }
  }

  #requestTo(target: Target): AttemptRequest {
    const { options } = this.#input
    const destination: HttpAddress =
      this.#proxy === null
        ? { kind: 'http', url: target.url }
        : { kind: 'http', url: target.url, via: this.#proxy.route }
    return {
      destination,
      method: options.method ?? 'POST',
      ...this.#signed(),
      ...(this.#timeoutMs === undefined ? {} : { timeoutMs: this.#timeoutMs }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }
  }

  /** Signed anew for each try: receivers refuse old timestamps. The id stays. */
  #signed(): Pick<AttemptRequest, 'headers' | 'body'> {
    const { settings, body, options } = this.#input
    if (settings.signing === null || this.#id === null) return { headers: this.#headers, body }
    const { schemes, secrets } = settings.signing
    const signed = signRequest(schemes, {
      eventId: this.#id,
      deliveryId: this.#id,
      topic: options.topic ?? null,
      timestampSeconds: Math.floor(settings.clock.now() / 1000),
      body,
      secrets,
    })
    return { headers: { ...this.#headers, ...signed.headers }, body: signed.body }
  }

  #judge(target: Target, result: AttemptResult): Ending | null | 'again' {
    const { settings, proxies } = this.#input
    const verdict: Verdict =
      this.#aborted && result.kind === 'failure'
        ? { kind: 'give_up', reason: aborted }
        : judgeAttempt(result, settings, { retries: this.#retries, now: settings.clock.now() })
    if (this.#proxy !== null && result.kind === 'response') proxies?.praise(this.#proxy)
    const rotates = verdict.kind === 'transport' && this.#proxy !== null
    const again = rotates ? this.#rotate() : this.#retry(target, verdict)
    this.#tell(target, result, { verdict, again })
    if (again) return 'again'
    if (verdict.kind === 'done') return null
    const asked = verdict.kind === 'give_up' ? verdict.retryAfterMs : undefined
    const limited = verdict.kind === 'retry' && verdict.asked ? verdict.waitMs : undefined
    const retryAfterMs = asked ?? limited
    return { ...verdict.reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  }

  /** At once, and to the same URL: it was the proxy that failed. */
  #rotate(): boolean {
    this.#failedProxy = this.#proxy
    if (this.#rotations >= this.#input.settings.maxProxyRetries) return false
    this.#rotations++
    this.#proxy = null
    return true
  }

  #retry(target: Target, verdict: Verdict): boolean {
    if (verdict.kind === 'done' || this.#aborted) return false
    if (verdict.kind === 'give_up') this.#targets = this.#targets.filter((other) => other !== target)
    else target.notBefore = this.#input.settings.clock.elapsed() + verdict.waitMs
    if (this.#targets.length === 0 || this.#retries >= this.#input.settings.maxRetries) return false
    this.#retries++
    return true
  }

  #tell(target: Target, result: AttemptResult, step: { verdict: Verdict; again: boolean }): void {
    const { settings } = this.#input
    const { onAttempt } = settings.hooks
    if (onAttempt === undefined) return
    const { verdict, again } = step
    const waitMs =
      again && this.#targets.length > 0 ? this.#nextTarget().notBefore - settings.clock.elapsed() : 0
    const event = {
      origin: target.url.origin,
      attempt: this.#attempts,
      status: result.httpStatus,
      errorCode: verdict.kind === 'done' ? null : verdict.reason.code,
      error: verdict.kind === 'done' ? null : verdict.reason.text,
      proxy: this.#proxyHostPort,
      latencyMs: result.latencyMs,
      retryInMs: again ? Math.max(0, waitMs) : null,
    }
    // A hook must not break a send.
    callListener(
      () => onAttempt(event),
      (error) => warnOfListener('the hook onAttempt', error),
    )
  }

  get #proxyHostPort(): string | null {
    return this.#usedProxy?.route.hostPort ?? null
  }

  #finish(ending: Ending | null): WebhookResult {
    const answered = this.#last?.kind === 'response' ? this.#last : null
    const outcome = {
      ok: ending === null,
      status: answered?.httpStatus ?? null,
      url: this.#url,
      attempts: this.#attempts,
      error: ending === null ? null : ending.text,
      errorCode: ending === null ? null : (ending.code satisfies WebhookErrorCode),
      proxy: this.#proxyHostPort,
      ...(ending?.retryAfterMs === undefined ? {} : { retryAfterMs: ending.retryAfterMs }),
      ...(answered === null ? {} : { body: answered.response.body }),
      ...(ending?.cause === undefined ? {} : { cause: ending.cause }),
    }
    return new WebhookResult(outcome, this.#input.settings.redactor)
  }
}

const aborted: Ending = { code: 'aborted', text: 'the send was aborted by the caller' }

function locate(url: URL, options: SendOptions): URL {
  return options.locate === undefined ? url : options.locate(url)
}

function readId(id: string | undefined): string | undefined {
  if (id === undefined || /^[\x21-\x7e]{1,255}$/.test(id)) return id
  throw new SendRefused({ code: 'invalid_request', text: 'the id must be 1 to 255 visible ASCII characters' })
}
