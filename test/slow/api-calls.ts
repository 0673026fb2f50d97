/** The few calls of the HTTP API that the slow tests make, and waiting for what it says. */

import { patienceMs } from '../patience.ts'
import { adminToken } from './server-process.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into at will.
  readonly json: any
}

export interface CallOptions {
  readonly method?: string
  readonly token?: string
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

export async function call(url: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const { body, headers, token = adminToken, timeoutMs = patienceMs } = options
  const text = typeof body === 'string' ? body : body === undefined ? null : JSON.stringify(body)
  const response = await fetch(`${url}${path}`, {
    method: options.method ?? (text === null ? 'GET' : 'POST'),
    headers: { ...headers, authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(timeoutMs),
    ...(text !== null && { body: text }),
  })
  const answer = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    json: answer === '' ? null : JSON.parse(answer),
  }
}

/** As `call`, for what has to succeed. */
export async function ask(url: string, path: string, options: CallOptions = {}): Promise<Answer['json']> {
  const { status, json } = await call(url, path, options)
  if (status >= 300) throw new Error(`${path} answered ${status}: ${JSON.stringify(json)}`)
  return json
}

export interface ReadDelivery {
  readonly id: string
  readonly endpoint_id: string
  readonly state: string
  readonly attempt_count: number
  readonly error_class: string | null
  readonly attempts: readonly {
    readonly status: string
    readonly http_status: number | null
    readonly claim_version: number
  }[]
}

export async function deliveriesOf(url: string, eventId: string): Promise<readonly ReadDelivery[]> {
  return (await ask(url, `/v1/events/${eventId}`)).deliveries
}

/** Whether every delivery has come to its end: of one moment, as three listings would not be. */
export async function isDrained(url: string): Promise<boolean> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const live = ['pending', 'in_flight', 'retry_scheduled'].map((state) => {
    const count = new RegExp(`^outhook_deliveries{state="${state}"} (\\d+)$`, 'm').exec(metrics)?.[1]
    if (count === undefined) throw new Error(`/metrics does not count deliveries that are ${state}`)
    return Number(count)
  })
  return live.every((count) => count === 0)
}

/** Asks again and again until it is true. */
export async function until(
  what: string,
  isMet: () => boolean | Promise<boolean>,
  timeoutMs = patienceMs,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await isMet())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms`)
    await pause(25)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Runs `work` for every item, so many at a time. */
export async function forEachOf<Item>(
  items: Iterable<Item>,
  concurrency: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]()
  const run = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: concurrency }, run))
}
