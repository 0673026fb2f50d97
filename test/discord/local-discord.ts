/**
 * A Discord for tests: webhooks with their tokens, messages, rate-limit buckets with the real headers, the limit on
 * everything together, and the refusals (400, 401, 404, 429) with Discord's codes.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Clock, createSystemClock } from '../../src/core/clock.ts'
import { findProblem } from './message-rules.ts'
import { readRequest, type UploadedFile } from './read-request.ts'

export interface LocalDiscordOptions {
  readonly clock?: Clock
  /** Of each webhook. */
  readonly bucket?: { readonly limit: number; readonly perMs: number }
  /** Of all webhooks together. Default none. */
  readonly global?: { readonly limit: number; readonly perMs: number }
  /** Headers and reasons as Discord's, or none at all. Default true. */
  readonly tellsLimits?: boolean
}

export interface DiscordRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly payload: Readonly<Record<string, unknown>>
  readonly files: readonly UploadedFile[]
  /** On the clock's `elapsed()` scale. */
  readonly at: number
  readonly status: number
}

export interface ScriptedAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

interface Window {
  startedAt: number
  used: number
  /** What the last answer said: none left until then. */
  announcedUntil: number
}

interface StoredWebhook {
  readonly token: string
  readonly messages: Map<string, Record<string, unknown>>
}

type Limited = { readonly retryAfterMs: number; readonly global: boolean }

const longToken = 'aB3-_'.repeat(14)

export async function startLocalDiscord(options: LocalDiscordOptions = {}): Promise<LocalDiscord> {
  const discord = new LocalDiscord(options)
  await discord.listen()
  return discord
}

export class LocalDiscord {
  url = ''
  /** Every request, refused ones too. */
  readonly requests: DiscordRequest[] = []
  /** 429 answers that came although the headers before them had said so. */
  announced429 = 0
  total429 = 0
  readonly #options: LocalDiscordOptions
  readonly #clock: Clock
  readonly #webhooks = new Map<string, StoredWebhook>()
  readonly #buckets = new Map<string, Window>()
  readonly #global: Window = { startedAt: 0, used: 0, announcedUntil: 0 }
  readonly #scripted: (ScriptedAnswer | null)[] = []
  readonly #waiters = new Set<() => void>()
  readonly #server = createServer((message, response) => {
    this.#handle(message, response).catch(() => message.destroy())
  })
  #held: (() => void)[] | null = null
  #nextId = 1_400_000_000_000_000_000n

  constructor(options: LocalDiscordOptions) {
    this.#options = options
    this.#clock = options.clock ?? createSystemClock()
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The URL of a new webhook, of a real one's shape. */
  createWebhook(): string {
    const id = this.#newId()
    const token = longToken.slice(0, 68 - 6) + id.slice(-6)
    this.#webhooks.set(id, { token, messages: new Map() })
    return `${this.url}/api/webhooks/${id}/${token}`
  }

  deleteWebhook(url: string): void {
    this.#webhooks.delete(idOf(url))
  }

  /** Messages of a webhook as they stand now, in order. */
  messages(url: string): readonly Readonly<Record<string, unknown>>[] {
    return [...(this.#webhooks.get(idOf(url))?.messages.values() ?? [])]
  }

  /** Bodies of accepted posts, in order. */
  posted(url: string): readonly Readonly<Record<string, unknown>>[] {
    const path = new URL(url).pathname.replace('/api/', '/')
    return this.requests
      .filter(
        (request) =>
          request.path.replace(/^\/api(\/v\d+)?\//, '/') === path &&
          request.method === 'POST' &&
          request.status < 300,
      )
      .map(({ payload }) => payload)
  }

  /** The next requests are answered like this, whatever they are; null cuts the connection. */
  script(...answers: readonly (ScriptedAnswer | null)[]): void {
    this.#scripted.push(...answers)
  }

  /** From now on answers wait for `release()`. */
  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const answer of held) answer()
  }

  /** Resolves when the condition holds, looked at after each request has been read and each has been answered. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.add(resolve))
  }

  /** Requests that have come, held ones too. */
  arrived = 0

  async close(): Promise<void> {
    this.release()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(message)
    this.arrived++
    this.#wake()
    if (this.#held !== null) await new Promise<void>((resolve) => this.#held?.push(resolve))
    const at = this.#clock.elapsed()
    const scripted = this.#scripted.shift()
    if (scripted === null) {
      this.requests.push({ ...request, at, status: 0 })
      message.socket.destroy()
    } else {
      const answer = scripted ?? this.#answer(request, at)
      this.requests.push({ ...request, at, status: answer.status })
      const headers = { 'content-type': 'application/json', ...answer.headers }
      response.writeHead(answer.status, headers).end(answer.body)
    }
    this.#wake()
  }

  #answer(request: Awaited<ReturnType<typeof readRequest>>, at: number): ScriptedAnswer {
    const [, id = '', token = '', messageId] =
      /^\/api\/(?:v\d+\/)?webhooks\/(\d+)\/([\w-]+)(?:\/messages\/(\d+))?$/.exec(request.path) ?? []
    const webhook = this.#webhooks.get(id)
    const kind = `${request.method} ${id}${messageId === undefined ? '' : ' message'}`
    const bucket = this.#bucketOf(kind)
    const limited = this.#limit(bucket, at)
    if (limited !== null) return this.#refuseLimited(limited, bucket, at)
    const headers = this.#bucketHeaders(bucket, at)
    const answer = answerOf(webhook, token)
    if (answer !== null) return { ...answer, headers }
    return { ...this.#act(request, webhook as StoredWebhook, messageId), headers }
  }

  #act(
    { method, payload, query, files, broken }: Awaited<ReturnType<typeof readRequest>>,
    { messages }: StoredWebhook,
    messageId: string | undefined,
  ): ScriptedAnswer {
    if (method === 'GET') return json(200, { type: 1, name: 'local' })
    if (broken) return json(400, { message: 'The request body contains invalid JSON.', code: 50109 })
    if (messageId === undefined) {
      const problem = findProblem(payload, { files: files.length, isNew: true })
      if (problem !== null) return json(400, problem)
      const id = this.#newId()
      const stored = { id, ...payload, thread_id: query.get('thread_id') }
      messages.set(id, stored)
      return query.get('wait') === 'true' ? json(200, stored) : { status: 204 }
    }
    const stored = messages.get(messageId)
    if (stored === undefined) return json(404, { message: 'Unknown Message', code: 10008 })
    if (method === 'DELETE') {
      messages.delete(messageId)
      return { status: 204 }
    }
    const problem = findProblem(payload, { files: files.length, isNew: false })
    if (problem !== null) return json(400, problem)
    Object.assign(stored, payload)
    return json(200, stored)
  }

  #bucketOf(kind: string): Window {
    let bucket = this.#buckets.get(kind)
    if (bucket === undefined) {
      bucket = { startedAt: Number.NEGATIVE_INFINITY, used: 0, announcedUntil: 0 }
      this.#buckets.set(kind, bucket)
    }
    return bucket
  }

  /** Takes a slot, or says how long there is none. */
  #limit(bucket: Window, at: number): Limited | null {
    const { global } = this.#options
    const { limit, perMs } = this.#bucketRule
    if (at >= bucket.startedAt + perMs) Object.assign(bucket, { startedAt: at, used: 0 })
    if (global !== undefined) {
      if (at >= this.#global.startedAt + global.perMs) Object.assign(this.#global, { startedAt: at, used: 0 })
      if (this.#global.used >= global.limit) {
        return { retryAfterMs: this.#global.startedAt + global.perMs - at, global: true }
      }
      this.#global.used++
    }
    if (bucket.used >= limit) return { retryAfterMs: bucket.startedAt + perMs - at, global: false }
    bucket.used++
    return null
  }

  get #bucketRule() {
    return this.#options.bucket ?? { limit: 5, perMs: 2000 }
  }

  #bucketHeaders(bucket: Window, at: number): Readonly<Record<string, string>> {
    if (this.#options.tellsLimits === false) return {}
    const { limit, perMs } = this.#bucketRule
    const resetAt = bucket.startedAt + perMs
    const remaining = limit - bucket.used
    if (remaining === 0) bucket.announcedUntil = resetAt
    return {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-reset': ((this.#clock.now() + resetAt - at) / 1000).toFixed(3),
      'x-ratelimit-reset-after': ((resetAt - at) / 1000).toFixed(3),
      'x-ratelimit-bucket': '5f8a1a4f2f2a1c',
    }
  }

  #refuseLimited({ retryAfterMs, global }: Limited, bucket: Window, at: number): ScriptedAnswer {
    this.total429++
    if (!global && at < bucket.announcedUntil) this.announced429++
    const seconds = Number((retryAfterMs / 1000).toFixed(3))
    const body = { message: 'You are being rate limited.', retry_after: seconds, global }
    return {
      ...json(429, body),
      headers: {
        ...this.#bucketHeaders(bucket, at),
        'retry-after': String(Math.ceil(seconds)),
        'x-ratelimit-scope': global ? 'global' : 'user',
        ...(global ? { 'x-ratelimit-global': 'true' } : {}),
      },
    }
  }

  #newId(): string {
    this.#nextId += 7n
    return String(this.#nextId)
  }

  #wake(): void {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const resolve of waiters) resolve()
  }
}

function answerOf(webhook: StoredWebhook | undefined, token: string): ScriptedAnswer | null {
  if (webhook === undefined) return json(404, { message: 'Unknown Webhook', code: 10015 })
  if (webhook.token !== token) return json(401, { message: 'Invalid Webhook Token', code: 50027 })
  return null
}

function json(status: number, value: unknown): ScriptedAnswer {
  return { status, body: JSON.stringify(value) }
}

function idOf(url: string): string {
  return /webhooks\/(\d+)/.exec(url)?.[1] ?? ''
}
