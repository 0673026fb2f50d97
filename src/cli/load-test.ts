/**
 * Sends events at a rate to a server and receives them again. The pace is kept whatever the server does (an open loop):
 * who waited for each answer would measure less the slower it gets.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { Client } from '../client/client.ts'
import { createSystemClock } from '../core/clock.ts'
import { type Receiver, startReceiver } from '../testing/receiver.ts'
import { type ApiContext, finishApiCommand } from './api-command.ts'
import { FindingsError } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { durationMs, positiveNumber, wholeNumber } from './option-values.ts'

interface LoadOptions {
  readonly rate: number
  readonly duration: number
  readonly bytes: number
  readonly patience: number
  readonly host: string
  readonly port: number
  readonly receiverUrl?: string
}

const tickMs = 10
const minBytes = 32

export function register(command: Command, io: CliIo): void {
  command
    .option('--rate <events>', 'events per second', positiveNumber, 200)
    .option('--duration <duration>', 'how long to send', aDuration, 10_000)
    .option('--bytes <number>', 'size of each payload', wholeNumber(minBytes, 262_144), 500)
    .option('--patience <duration>', 'how long to wait for the next one that is missing', aDuration, 30_000)
    .option('--host <address>', 'address that the receiver listens on', '127.0.0.1')
    .option('--port <number>', 'its port; 0 takes any free one', wholeNumber(0, 65_535), 0)
    .option('--receiver-url <url>', 'how the server reaches it, where that is another address')
    .addHelpText(
      'after',
      '\nMakes an endpoint for a topic of its own, and deletes it at the end; its events stay until their retention. The ' +
        'server must allow the address of the receiver: "outhook dev" does, "outhook serve" with --allow-http and ' +
        '--allow-network 127.0.0.0/8.\nEnds with 1 when an event was refused or has not arrived.',
    )
  finishApiCommand(command, io).run<LoadOptions>(runLoad)
}

function aDuration(value: string): number {
  const ms = durationMs(value)
  if (ms > 0) return ms
  throw new InvalidArgumentError('Use a duration above 0, such as 10s.')
}

async function runLoad(context: ApiContext, _args: readonly string[], options: LoadOptions): Promise<void> {
  const run = new LoadRun()
  const receiver = await startReceiver({
    host: options.host,
    port: options.port,
    keepRequests: 0,
    onRequest: ({ eventId, deliveryId }) => run.arrived(eventId, deliveryId),
  })
  const { client, print } = context
  try {
    const endpoint = await client.endpoints.create({
      url: options.receiverUrl ?? receiver.url,
      topics: [run.topic],
      description: 'of a load test; it may be deleted',
    })
    try {
      await run.send(client, options)
      await run.untilAllArrived(options.patience)
    } finally {
      await client.endpoints.delete(endpoint.id)
    }
  } finally {
    await (receiver satisfies Receiver).close()
  }
  const report = run.report()
  print.object(report, forPeople(report))
  if (report.refused > 0 || report.stranded > 0) throw new FindingsError()
}

function forPeople({ accept_ms, delivery_ms, errors, ...counts }: ReturnType<LoadRun['report']>) {
  const times = ({ p50, p95, p99, max }: ReturnType<typeof percentiles>) =>
    `p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, longest ${max} ms`
  const refusals = Object.entries(errors).map(([message, count]) => `${count} x ${message}`)
  return {
    ...counts,
    'until accepted': times(accept_ms),
    'until received': times(delivery_ms),
    ...(refusals.length > 0 && { errors: refusals.join('; ') }),
  }
}

class LoadRun {
  readonly topic = `load-test.${crypto.randomUUID()}`
  readonly #clock = createSystemClock()
  readonly #sentAt = new Map<string, number>()
  readonly #arrivedAt = new Map<string, number>()
  readonly #deliveries = new Set<string>()
  readonly #acceptMs: number[] = []
  readonly #errors = new Map<string, number>()
  #duplicates = 0
  #accepted = 0
  #sendingMs = 0
  #lastArrivalAt = 0

  arrived(eventId: string | null, deliveryId: string | null): void {
    const now = this.#clock.elapsed()
    this.#lastArrivalAt = now
    if (deliveryId !== null && this.#deliveries.has(deliveryId)) this.#duplicates++
    else if (deliveryId !== null) this.#deliveries.add(deliveryId)
    if (eventId !== null && !this.#arrivedAt.has(eventId)) this.#arrivedAt.set(eventId, now)
  }

  async send(client: Client, { rate, duration, bytes }: LoadOptions): Promise<void> {
    const begunAt = this.#clock.elapsed()
    const count = Math.max(1, Math.round((rate * duration) / 1000))
    const underWay = new Set<Promise<void>>()
    for (let made = 0; made < count; ) {
      const due = Math.min(count, Math.floor(((this.#clock.elapsed() - begunAt) * rate) / 1000) + 1)
      for (; made < due; made++) {
        const one = this.#sendOne(client, paddedPayload(made, bytes)).finally(() => underWay.delete(one))
        underWay.add(one)
      }
      if (made < count) await wait(tickMs)
    }
    this.#sendingMs = this.#clock.elapsed() - begunAt
    await Promise.all(underWay)
  }

  async #sendOne(client: Client, body: string): Promise<void> {
    const begunAt = this.#clock.elapsed()
    try {
      const { eventId: id } = await client.send({ topic: this.topic, body }, { retry: { maxRetries: 0 } })
      this.#sentAt.set(id, begunAt)
      this.#acceptMs.push(this.#clock.elapsed() - begunAt)
      this.#accepted++
    } catch (error) {
      const { message } = error as Error
      this.#errors.set(message, (this.#errors.get(message) ?? 0) + 1)
    }
  }

  /** Gives up when nothing has come for so long. */
  async untilAllArrived(patienceMs: number): Promise<void> {
    this.#lastArrivalAt = Math.max(this.#lastArrivalAt, this.#clock.elapsed())
    while (this.#missing() > 0 && this.#clock.elapsed() - this.#lastArrivalAt < patienceMs) await wait(tickMs)
  }

  #missing(): number {
    return [...this.#sentAt.keys()].filter((id) => !this.#arrivedAt.has(id)).length
  }

  report() {
    const arrivals = [...this.#sentAt].flatMap(([id, sentAt]) => {
      const arrivedAt = this.#arrivedAt.get(id)
      return arrivedAt === undefined ? [] : [arrivedAt - sentAt]
    })
    const refused = [...this.#errors.values()].reduce((sum, times) => sum + times, 0)
    return {
      published: this.#accepted,
      refused,
      events_per_second: round(((this.#accepted + refused) * 1000) / Math.max(1, this.#sendingMs)),
      received: arrivals.length,
      duplicates: this.#duplicates,
      stranded: this.#missing(),
      accept_ms: percentiles(this.#acceptMs),
      delivery_ms: percentiles(arrivals),
      errors: Object.fromEntries(this.#errors),
    }
  }
}

function paddedPayload(number: number, bytes: number): string {
  const head = `{"n":${number},"padding":"`
  return `${head}${'x'.repeat(Math.max(0, bytes - head.length - 2))}"}`
}

function percentiles(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
