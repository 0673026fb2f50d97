/** Discord on the sender: messages, threads and files through a webhook, within Discord's limits. */
import { inspect } from 'node:util'
import { OuthookError } from '../core/errors.ts'
import { createSender } from '../sender/create-sender.ts'
import type { RequestMethod, Sender } from '../sender/port.ts'
import { readNumber } from '../sender/read-number.ts'
import { Redactor } from '../sender/redaction.ts'
import { Webhook } from '../sender/webhook.ts'
import type { SendOptions, WebhookOptions } from '../sender/webhook-options.ts'
import { redactUrl, WebhookResult } from '../sender/webhook-result.ts'
import type { OnLimit } from './limit-keeper.ts'
import { discordLimits } from './limits.ts'
import type { AllowedMentions, DiscordMessage } from './message.ts'
import { encodeMultipart } from './multipart.ts'
import { type MessageRules, type PreparedMessage, prepareMessage } from './prepare-message.ts'
import { type DiscordRateLimits, sharedRateLimits } from './rate-limits.ts'

export interface DiscordWebhookOptions extends Omit<WebhookOptions, 'pacer' | 'signing'> {
  /** Instead of the name that the webhook has in Discord; messages can bring their own. At most 80 characters. */
  readonly username?: string | undefined
  /** Of a picture, instead of the webhook's own; messages can bring theirs. */
  readonly avatarUrl?: string | undefined
  /** For messages that name none. Default: nobody is pinged. */
  readonly allowedMentions?: AllowedMentions | undefined
  /** For messages beyond Discord's limits. Default `error`. */
  readonly onLimit?: OnLimit
  /** Discord answers with the stored message, whose id is needed to edit or delete it. Default false. */
  readonly wait?: boolean
  /** What the limits of each webhook are known by. Default: one for the process. */
  readonly rateLimits?: DiscordRateLimits
  /** Of one file. Default 10 MiB. */
  readonly maxFileBytes?: number
}

export interface DiscordSendOptions extends Pick<SendOptions, 'signal' | 'timeoutMs'> {
  /** Posts into this thread of the webhook's channel. */
  readonly threadId?: string | undefined
  /** Instead of the webhook's own. */
  readonly wait?: boolean | undefined
}

export type DiscordEditOptions = Omit<DiscordSendOptions, 'wait'>

/** The result of having sent a message with `wait`, or its id. An id alone is looked for at the first of several URLs. */
export type SentMessage = string | WebhookResult

const noBytes = new Uint8Array(0)
const apiVersion = 'v10'

/**
 * One Discord webhook, or several in turn. Like `Webhook`, it never throws on a send and never prints; a
 * message that Discord would refuse becomes an `invalid_body` result without a request.
 *
 * @example
 * const discord = new DiscordWebhook(process.env.DISCORD_WEBHOOK ?? '', { username: 'deploys' })
 * const sent = await discord.send({ content: 'rolling out', embeds: [{ title: 'v1.2.3' }] }, { wait: true })
 * await discord.edit(sent, { content: 'rolled out' })
 */
export class DiscordWebhook {
  readonly #urls: readonly string[]
  readonly #options: DiscordWebhookOptions
  readonly #rateLimits: DiscordRateLimits
  readonly #pool: Sender
  readonly #posts: Webhook
  /** By method and URL: messages are edited where they were sent. */
  readonly #others = new Map<string, Webhook>()
  #closed: Promise<void> | null = null

  /** Errors: invalid_config, unprocessable (headers). A text that is no URL is not refused here: sending to it fails. */
  constructor(urls: string | URL | readonly (string | URL)[], options: DiscordWebhookOptions = {}) {
    checkOptions(options)
    this.#options = options
    this.#urls = (Array.isArray(urls) ? urls : [urls]).map(String)
    this.#rateLimits = options.rateLimits ?? sharedRateLimits(options.clock)
    this.#pool = options.pool ?? createSender(poolOptions(options))
    this.#posts = this.#makeWebhook(this.#urls, 'POST')
  }

  /** Text is the `content`. A message beyond the limits is an `invalid_body` result, or cut, see `onLimit`. */
  async send(message: string | DiscordMessage, options: DiscordSendOptions = {}): Promise<WebhookResult> {
    const prepared = this.#prepare(message, 'send')
    if (prepared instanceof WebhookResult) return prepared
    const wait = options.wait ?? this.#options.wait ?? false
    const query = { ...(wait ? { wait: 'true' } : {}), ...sharedQuery(prepared, options) }
    return await post(this.#posts, prepared, {
      ...sendOptions(options),
      locate: (url) => withQuery(versionedUrl(url), query),
    })
  }

  /** Replaces what is given of a message that this webhook sent; `options.threadId` if it stands in a thread. */
  async edit(
    sent: SentMessage,
    changes: string | DiscordMessage,
    options: DiscordEditOptions = {},
  ): Promise<WebhookResult> {
    const location = this.#locationOf(sent)
    const prepared = this.#prepare(changes, 'edit')
    if (location instanceof WebhookResult) return location
    if (prepared instanceof WebhookResult) return prepared
    const webhook = this.#otherWebhook('PATCH', location.url)
    return await post(webhook, prepared, {
      ...sendOptions(options),
      method: 'PATCH',
      locate: (url) => withQuery(messageUrl(url, location.id), sharedQuery(prepared, options)),
    })
  }

  /** Deletes a message that this webhook sent; `options.threadId` if it stands in a thread. */
  async delete(sent: SentMessage, options: DiscordEditOptions = {}): Promise<WebhookResult> {
    const location = this.#locationOf(sent)
    if (location instanceof WebhookResult) return location
    return await this.#otherWebhook('DELETE', location.url).sendBytes(noBytes, {
      ...sendOptions(options),
      method: 'DELETE',
      locate: (url) => withQuery(messageUrl(url, location.id), threadQuery(options)),
    })
  }

  /** Asks Discord whether each webhook still exists, and posts nothing. One result per URL. */
  async probe(options: Pick<SendOptions, 'signal'> = {}): Promise<readonly WebhookResult[]> {
    return await Promise.all(
      this.#urls.map((url) =>
        this.#otherWebhook('GET', url).sendBytes(noBytes, {
          ...options,
          method: 'GET',
          locate: versionedUrl,
        }),
      ),
    )
  }

  /** Refuses new sends and waits for those in flight. */
  close(): Promise<void> {
    this.#closed ??= Promise.all(
      [this.#posts, ...this.#others.values()].map((webhook) => webhook.close()),
    ).then(async () => {
      if (this.#options.pool === undefined) await this.#pool.close()
    })
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  [inspect.custom](): string {
    return `DiscordWebhook(${this.#urls.map(redactUrl).join(', ')})`
  }

  #prepare(
    message: string | DiscordMessage,
    purpose: MessageRules['purpose'],
  ): PreparedMessage | WebhookResult {
    const { onLimit = 'error', maxFileBytes = discordLimits.fileBytes } = this.#options
    const { username, avatarUrl, allowedMentions } = this.#options
    const rules = { onLimit, purpose, username, avatarUrl, allowedMentions, maxFileBytes }
    try {
      const parts = typeof message === 'string' ? { content: message } : message
      return prepareMessage(parts, rules)
    } catch (error) {
      return this.#refuse(error instanceof Error ? error.message : 'the message cannot be read')
    }
  }

  #locationOf(sent: SentMessage): { readonly url: string; readonly id: string } | WebhookResult {
    const id = typeof sent === 'string' ? sent : messageIdOf(sent)
    if (id === null) {
      return this.#refuse('the result names no message; send with wait: true, or give the id of the message')
    }
    if (!/^\d{1,30}$/.test(id))
      return this.#refuse('a message id is a number in text; give the id of a message')
    const url = typeof sent === 'string' ? (this.#urls[0] ?? '') : sent.url
    return { url, id }
  }

  #otherWebhook(method: RequestMethod, url: string): Webhook {
    const key = `${method} ${url}`
    let webhook = this.#others.get(key)
    if (webhook === undefined) {
      webhook = this.#makeWebhook([url], method)
      this.#others.set(key, webhook)
      if (this.#closed !== null) void webhook.close()
    }
    return webhook
  }

  #makeWebhook(urls: readonly string[], method: RequestMethod): Webhook {
    return new Webhook(urls, { ...this.#options, pool: this.#pool, pacer: this.#rateLimits.pacerFor(method) })
  }

  #refuse(error: string): WebhookResult {
    const redactor = new Redactor()
    for (const url of this.#urls) if (URL.canParse(url)) redactor.addUrl(new URL(url))
    const nothing = { ok: false, status: null, attempts: 0, proxy: null, url: this.#urls[0] ?? '' }
    return new WebhookResult(
      { ...nothing, error: redactor.redactText(error), errorCode: 'invalid_body' },
      redactor,
    )
  }
}

/** The id that Discord gave to a message sent with `wait`, else null. */
export function messageIdOf(result: WebhookResult): string | null {
  const { response } = result
  if (typeof response !== 'object' || response === null || !('id' in response)) return null
  return typeof response.id === 'string' ? response.id : null
}

function post(webhook: Webhook, prepared: PreparedMessage, options: SendOptions): Promise<WebhookResult> {
  if (prepared.files.length === 0) return webhook.send(prepared.payload, options)
  const { body, contentType } = encodeMultipart(prepared)
  return webhook.sendBytes(body, { ...options, headers: { 'content-type': contentType } })
}

/**
 * Without a version in its path Discord answers as its API v6 did, and v6 and v7 name waits in milliseconds. The same
 * object where nothing changes: it is then looked up faster.
 */
export function versionedUrl(base: URL): URL {
  const pathname = base.pathname.replace(/^\/api\/(?:v[67]\/)?webhooks\//, `/api/${apiVersion}/webhooks/`)
  if (pathname === base.pathname) return base
  const url = new URL(base)
  url.pathname = pathname
  return url
}

function messageUrl(given: URL, id: string): URL {
  const base = versionedUrl(given)
  const url = new URL(base)
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/messages/${id}`
  return url
}

/** The same object where nothing is added: it is then looked up faster. */
function withQuery(base: URL, query: Readonly<Record<string, string>>): URL {
  const entries = Object.entries(query)
  if (entries.length === 0) return base
  const url = new URL(base)
  for (const [name, value] of entries) url.searchParams.set(name, value)
  return url
}

function threadQuery({ threadId }: { readonly threadId?: string | undefined }): Record<string, string> {
  return threadId === undefined ? {} : { thread_id: threadId }
}

/** Without the word, Discord leaves components of a webhook that belongs to no application out, and says nothing. */
function sharedQuery({ payload }: PreparedMessage, options: DiscordEditOptions): Record<string, string> {
  const components = payload.components === undefined ? {} : { with_components: 'true' }
  return { ...components, ...threadQuery(options) }
}

function sendOptions({ signal, timeoutMs }: DiscordEditOptions): SendOptions {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
}

function checkOptions({ onLimit = 'error', maxFileBytes = 0 }: DiscordWebhookOptions): void {
  readNumber('maxFileBytes', maxFileBytes)
  if (onLimit !== 'error' && onLimit !== 'truncate') {
    throw new OuthookError('invalid_config', "onLimit must be 'error' or 'truncate'")
  }
}

function poolOptions({ clock, timeoutMs, guard, ca }: DiscordWebhookOptions) {
  return {
    ...(clock === undefined ? {} : { clock }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(guard === undefined ? {} : { guard }),
    ...(ca === undefined ? {} : { ca }),
  }
}
