/** Webhooks that end with their test, and a receiver that answers as each test scripts it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { Webhook } from '../../src/sender/webhook.ts'
import type { AttemptEvent, WebhookHooks, WebhookOptions } from '../../src/sender/webhook-options.ts'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** `performance.now()`. */
  readonly at: number
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Null keeps the request waiting. */
export type Script = (request: Received, index: number) => Answer | null

export interface ScriptedReceiver {
  readonly url: string
  readonly port: number
  readonly received: readonly Received[]
  /** Resolves when that many requests have come. */
  count(requests: number): Promise<void>
  open(): Promise<number>
}

export async function aReceiver(script: Script): Promise<ScriptedReceiver> {
  const received: Received[] = []
  const waiters: { readonly requests: number; readonly resolve: () => void }[] = []
  const server = createServer(async (message: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk)
    const { method = '', url: path = '', headers } = message
    const text = Buffer.concat(chunks).toString()
    const request = { method, path, headers, text, at: performance.now() }
    received.push(request)
    const answer = script(request, received.length - 1)
    if (answer !== null) response.writeHead(answer.status, answer.headers).end(answer.body)
    for (const waiter of waiters) if (received.length >= waiter.requests) waiter.resolve()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    count: (requests) =>
      received.length >= requests
        ? Promise.resolve()
        : new Promise((resolve) => waiters.push({ requests, resolve })),
    open: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
      }),
  }
}

/** Answers in this order, the last one repeating. */
export function inTurn(...answers: (Answer | number | null)[]): Script {
  return (_request, index) => {
    const answer = answers[Math.min(index, answers.length - 1)] ?? null
    return typeof answer === 'number' ? { status: answer } : answer
  }
}

/** Short waits: real ones where the test is about something else. */
export const quick: WebhookOptions = { backoff: { baseMs: 1, capMs: 5 } }

export function aWebhook(urls: string | readonly string[], options: WebhookOptions = {}): Webhook {
  const webhook = new Webhook(urls, { ...quick, ...options })
  onTestFinished(() => webhook.close())
  return webhook
}

export interface AttemptSignals {
  readonly hooks: WebhookHooks
  readonly events: readonly AttemptEvent[]
  /** Resolves with the n-th attempt's event, from 1; the send has then decided what follows. */
  attempted(count: number): Promise<AttemptEvent>
}

export function signalsOf(): AttemptSignals {
  const events: AttemptEvent[] = []
  const waiters: (() => void)[] = []
  const onAttempt = (event: AttemptEvent) => {
    events.push(event)
    for (const wake of waiters.splice(0)) wake()
  }
  return {
    hooks: { onAttempt },
    events,
    async attempted(count) {
      for (;;) {
        const event = events[count - 1]
        if (event !== undefined) return event
        await new Promise<void>((resolve) => waiters.push(resolve))
      }
    },
  }
}
