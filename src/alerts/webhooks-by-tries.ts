/** A `Webhook` has one number of retries; alerts and their mirrors differ in it and share the connections. */
import { createSender } from '../sender/create-sender.ts'
import type { Sender } from '../sender/port.ts'
import type { TransportOptions } from './transport.ts'

interface Closable {
  close(): Promise<void>
}

type OwnOptions = TransportOptions & {
  readonly pool: Sender
  readonly maxRetries: number
  readonly maxProxyRetries: number
}

export class WebhooksByTries<T extends Closable> {
  readonly #pool: Sender
  readonly #ownsPool: boolean
  readonly #make: (options: OwnOptions) => T
  readonly #options: TransportOptions
  readonly #made = new Map<number, T>()

  constructor(options: TransportOptions, make: (options: OwnOptions) => T) {
    const { clock, timeoutMs, guard, ca } = options
    this.#ownsPool = options.pool === undefined
    this.#pool =
      options.pool ??
      createSender({
        ...(clock === undefined ? {} : { clock }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(guard === undefined ? {} : { guard }),
        ...(ca === undefined ? {} : { ca }),
      })
    this.#options = options
    this.#make = make
    // What is wrong with the options should be said now, not by the first alert.
    this.for(1)
  }

  for(maxAttempts: number): T {
    const maxRetries = Math.max(0, maxAttempts - 1)
    let made = this.#made.get(maxRetries)
    if (made === undefined) {
      made = this.#make({ ...this.#options, pool: this.#pool, maxRetries, maxProxyRetries: maxRetries })
      this.#made.set(maxRetries, made)
    }
    return made
  }

  async close(): Promise<void> {
    await Promise.all([...this.#made.values()].map((webhook) => webhook.close()))
    if (this.#ownsPool) await this.#pool.close()
  }
}
