/** The stand-alone sender: one good `send()`, without a store. */
import { inspect } from 'node:util'
import type { Clock } from '../core/clock.ts'
import { stringifyPayload } from '../core/json-payload.ts'
import { callListener, warnOfListener } from '../core/listeners.ts'
import { createSender } from './create-sender.ts'
import type { Sender } from './port.ts'
import { ProxyChooser } from './proxy-chooser.ts'
import type { SendOptions, WebhookOptions } from './webhook-options.ts'
import { redactUrl, type WebhookErrorCode, WebhookResult } from './webhook-result.ts'
import { WebhookSend } from './webhook-send.ts'
import { type PoolUrl, readPool, readSettings, type WebhookSettings } from './webhook-settings.ts'

/**
 * Sends JSON or bytes to one URL, or in turn to those of a pool. One instance serves any number of sends at a time.
 *
 * `send` never throws, never rejects and never prints: whatever happens is in the `WebhookResult`. (A hook of yours that
 * throws is a warning of the process.) Making a `Webhook` with options that cannot be meant does throw
 * (`invalid_config`, `unprocessable`).
 *
 * @example
 * const webhook = new Webhook('https://example.com/hooks/1', { signing: { secret: 'whsec_…' } })
 * const result = await webhook.send({ order: 'o_1' })
 * if (!result.ok) console.log(result.error, result.attempts)
 * await webhook.close()
 */
export class Webhook {
  readonly #urls: readonly PoolUrl[]
  readonly #settings: WebhookSettings
  readonly #proxies: ProxyChooser | null
  readonly #makePool: () => Sender
  readonly #sharedPool: Sender | null
  #pool: Sender | null
  #turn = 0
  #running = 0
  #onDrained: (() => void) | null = null
  #closed: Promise<void> | null = null

  constructor(urls: string | URL | readonly (string | URL)[], options: WebhookOptions = {}) {
    this.#settings = readSettings(options)
    this.#urls = readPool(urls, this.#settings.redactor)
    const { proxies } = this.#settings
    this.#proxies = proxies === null ? null : new ProxyChooser(proxies, this.#settings)
    this.#sharedPool = options.pool ?? null
    this.#pool = this.#sharedPool
    this.#makePool = poolMaker(options, this.#settings)
  }

  /** Sends a value as `application/json`. What JSON does not have (NaN, functions, cycles …) is an `invalid_body` failure. */
  async send(payload: unknown, options: SendOptions = {}): Promise<WebhookResult> {
    let body: Uint8Array
    try {
      body = stringifyPayload(payload)
    } catch (error) {
      return this.#refuse('invalid_body', error instanceof Error ? error.message : 'the payload is not JSON')
    }
    return await this.#run(body, 'application/json', options)
  }

  /**
   * Sends exactly these bytes, or the text in UTF-8. The content type is `application/octet-stream`, for text
   * `text/plain; charset=utf-8`, unless `headers` says otherwise. The bytes must not change before the result.
   */
  async sendBytes(body: Uint8Array | string, options: SendOptions = {}): Promise<WebhookResult> {
    if (typeof body === 'string') {
      return await this.#run(Buffer.from(body, 'utf8'), 'text/plain; charset=utf-8', options)
    }
    if (body instanceof Uint8Array) return await this.#run(body, 'application/octet-stream', options)
    return this.#refuse(
      'invalid_body',
      'the body is neither text nor a Uint8Array; use send() for other values',
    )
  }

  /**
   * Refuses new sends, waits for those in flight, retries included, and closes its own connections; a given `pool`
   * stays open. Idle connections do not keep a process alive, so a script may end without this.
   */
  close(): Promise<void> {
    this.#closed ??= this.#drained().then(async () => {
      if (this.#sharedPool === null) await this.#pool?.close()
    })
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  [inspect.custom](): string {
    return `Webhook(${this.#urls.map(({ text }) => redactUrl(text)).join(', ')})`
  }

  async #run(body: Uint8Array, contentType: string, options: SendOptions): Promise<WebhookResult> {
    if (this.#closed !== null) return this.#refuse('closed', 'the webhook is closed; nothing was sent')
    this.#running++
    const first = this.#turn
    this.#turn = (first + 1) % this.#urls.length
    try {
      this.#pool ??= this.#makePool()
      const send = new WebhookSend({
        settings: this.#settings,
        pool: this.#pool,
        proxies: this.#proxies,
        urls: this.#settings.failover ? rotated(this.#urls, first) : this.#urls.slice(first, first + 1),
        body,
        contentType,
        options: options ?? {},
      })
      return this.#report(await send.run())
    } finally {
      this.#running--
      if (this.#running === 0) this.#onDrained?.()
    }
  }

  #refuse(errorCode: WebhookErrorCode, error: string): WebhookResult {
    const url = this.#urls[this.#turn]?.text ?? ''
    const nothing = { ok: false, status: null, attempts: 0, proxy: null }
    return this.#report(new WebhookResult({ ...nothing, url, error, errorCode }, this.#settings.redactor))
  }

  #report(result: WebhookResult): WebhookResult {
    const { onResult } = this.#settings.hooks
    if (onResult !== undefined) {
      // A hook must not break a send.
      callListener(
        () => onResult(result),
        (error) => warnOfListener('the hook onResult', error),
      )
    }
    return result
  }

  #drained(): Promise<void> {
    if (this.#running === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onDrained = resolve
    })
  }
}

function poolMaker(options: WebhookOptions, settings: WebhookSettings): () => Sender {
  const { guard, ca } = options
  const clock: Clock = settings.clock
  const make = () =>
    createSender({
      clock,
      timeoutMs: settings.timeoutMs,
      ...(guard === undefined ? {} : { guard }),
      ...(ca === undefined ? {} : { ca }),
    })
  // What is wrong with the guard's ranges should be said now, not by the first send.
  if (options.pool === undefined && guard !== undefined) void make().close()
  return make
}

function rotated(urls: readonly PoolUrl[], first: number): readonly PoolUrl[] {
  return first === 0 ? urls : [...urls.slice(first), ...urls.slice(0, first)]
}
