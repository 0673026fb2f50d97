/**
 * Tells the other processes on the database what they would otherwise find out by looking, and hears it from them:
 * `LISTEN` and `NOTIFY` on one connection of its own. Only hints: with all of them lost, everything still happens,
 * later. So nothing here ever fails a caller, and nothing waits for it.
 *
 * A notification inside the transaction that it tells of would make commits wait for each other (measured: 3.8 k
 * instead of 12 k transactions/s), so it is sent after, and at most every 50 ms.
 */
import type { Client, Notification } from 'pg'
import type { Clock } from '../../../core/clock.ts'
import type { LogFields, Logger } from '../../../core/logger.ts'
import type { StoreListener } from '../../port.ts'
import { hintChannel, PendingHints, readHintMessage, streamChannel } from './hint-message.ts'

const sendEveryMs = 50
const firstReconnectMs = 100
const maxReconnectMs = 5000
/** The server's silence alone says nothing: it has to be asked whether it is there. */
const askEveryMs = 10_000

export interface HintsOptions {
  readonly schema: string
  readonly clock: Clock
  readonly logger: Logger
  /** A connection of one's own, for its caller to end. */
  readonly connect: () => Promise<Client>
}

export class Hints {
  readonly #options: HintsOptions
  readonly #channel: string
  readonly #streamChannel: string
  readonly #listeners = new Set<StoreListener>()
  readonly #pending = new PendingHints()
  #client: Client | null = null
  /** Of the server's process behind it, by which its own notifications are known. */
  #pid = 0
  #state: 'idle' | 'running' | 'closed' = 'idle'
  /** Its loss is told once, not at every try. */
  #isLost = false
  #sending = false
  #nextSendAt = Number.NEGATIVE_INFINITY
  #cancelSend: (() => void) | null = null
  #telling = false
  #cancelTimer: (() => void) | null = null

  constructor(options: HintsOptions) {
    this.#options = options
    this.#channel = hintChannel(options.schema)
    this.#streamChannel = streamChannel(options.schema)
  }

  listen(listener: StoreListener): () => void {
    this.#listeners.add(listener)
    this.#start()
    return () => this.#listeners.delete(listener)
  }

  /** There is work that this process does not start at once. */
  tellWork(): void {
    this.#pending.addWork()
    this.#sendSoon()
  }

  tellTenant(tenantId: string): void {
    this.#pending.addTenant(tenantId)
    this.#sendSoon()
  }

  tellPause(targetId: string, pausedUntil: number | null): void {
    this.#pending.addPause(targetId, pausedUntil)
    this.#sendSoon()
  }

  tellPaces(perSecond: ReadonlyMap<string, number>): void {
    for (const [targetId, pace] of perSecond) this.#pending.addPace(targetId, pace)
    this.#sendSoon()
  }

  askForStream(tenants: readonly string[] | 'all'): void {
    this.#pending.addAsk(tenants)
    this.#sendSoon()
  }

  /** False: it is not sent. Never more than one call at a time, so that a slow database gathers nothing here. */
  tellStream(messages: readonly string[]): boolean {
    const client = this.#client
    if (client === null || this.#telling) return false
    this.#telling = true
    client
      .query('select pg_notify($1, message) from unnest($2::text[]) as message', [
        this.#streamChannel,
        messages,
      ])
      .catch(() => client.end().catch(() => {}))
      .finally(() => {
        this.#telling = false
      })
    return true
  }

  /** Tells what is still to be told, such as leases that a stopping process gave back. */
  async close(): Promise<void> {
    this.#state = 'closed'
    this.#cancelTimer?.()
    this.#cancelSend?.()
    const client = this.#client
    this.#client = null
    if (client === null) return
    if (!this.#pending.isEmpty) await this.#send(client)
    client.end().catch(() => {})
  }

  #start(): void {
    if (this.#state !== 'idle') return
    this.#state = 'running'
    void this.#connect(firstReconnectMs)
  }

  /** Never rejects; goes on until it is connected. */
  async #connect(retryMs: number): Promise<void> {
    const { connect, logger } = this.#options
    let client: Client | null = null
    try {
      client = await connect()
      client.on('notification', (notification) => this.#hear(notification))
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
      this.#pid = rows[0]?.pid ?? 0
      await client.query(`listen ${this.#channel}; listen ${this.#streamChannel}`)
    } catch (error) {
      client?.end().catch(() => {})
      this.#reconnectAfter(retryMs, { err: error })
      return
    }
    if (this.#state === 'closed') {
      client.end().catch(() => {})
      return
    }
    client.once('end', () => {
      this.#client = null
      this.#reconnectAfter(firstReconnectMs, {})
    })
    this.#client = client
    if (this.#isLost) logger.info({}, 'hints from other processes are heard again')
    this.#isLost = false
    this.#askLater(client)
    this.#tellMissed()
    this.#sendSoon()
  }

  #reconnectAfter(delayMs: number, why: LogFields): void {
    this.#cancelTimer?.()
    if (this.#state === 'closed') return
    const { clock, logger } = this.#options
    if (!this.#isLost) {
      logger.warn(why, 'hints from other processes are not heard, so their work and changes are found later')
    }
    this.#isLost = true
    const nextDelayMs = Math.min(delayMs * 2, maxReconnectMs)
    this.#cancelTimer = clock.schedule(delayMs, () => void this.#connect(nextDelayMs))
  }

  #askLater(client: Client): void {
    this.#cancelTimer = this.#options.clock.schedule(askEveryMs, () => {
      client.query('select 1').then(
        () => {
          if (this.#client === client) this.#askLater(client)
        },
        // Without an answer it is ended by force, which is the event "end".
        () => client.end().catch(() => {}),
      )
    })
  }

  #sendSoon(): void {
    this.#start()
    if (this.#client === null || this.#sending || this.#pending.isEmpty || this.#cancelSend !== null) return
    const { clock } = this.#options
    const waitMs = this.#nextSendAt - clock.elapsed()
    if (waitMs <= 0) {
      void this.#send(this.#client)
      return
    }
    this.#cancelSend = clock.schedule(waitMs, () => {
      this.#cancelSend = null
      this.#sendSoon()
    })
  }

  async #send(client: Client): Promise<void> {
    this.#sending = true
    this.#nextSendAt = this.#options.clock.elapsed() + sendEveryMs
    try {
      await client.query('select pg_notify($1, $2)', [this.#channel, this.#pending.take()])
    } catch {
      // Nobody misses it for long.
      client.end().catch(() => {})
    }
    this.#sending = false
    this.#sendSoon()
  }

  #hear({ channel, payload, processId }: Notification): void {
    if (processId === this.#pid) return
    if (channel === this.#streamChannel) this.#tell((listener) => listener.onStreamHeard?.(payload ?? ''))
    if (channel !== this.#channel) return
    const message = readHintMessage(payload ?? '')
    if (message === null) return
    const { work, tenants, pauses, paces, asks } = message
    if (tenants === 'all') this.#tell((listener) => listener.onRoutingChanged(null))
    else for (const id of tenants) this.#tell((listener) => listener.onRoutingChanged(id))
    for (const [id, until] of pauses) this.#tell((listener) => listener.onPauseChanged(id, until))
    const isSenior = processId < this.#pid
    for (const [targetId, perSecond] of paces)
      this.#tell((listener) => listener.onPaceKept({ targetId, perSecond, isSenior }))
    if (asks.length > 0) this.#tell((listener) => listener.onStreamAsked?.(asks))
    if (work) this.#tell((listener) => listener.onWork())
  }

  /** While nothing was heard, anything may have happened. */
  #tellMissed(): void {
    this.#tell((listener) => listener.onRoutingChanged(null))
    this.#tell((listener) => listener.onWork())
    this.#tell((listener) => listener.onStreamGap?.())
  }

  #tell(call: (listener: StoreListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener)
      } catch (error) {
        this.#options.logger.error({ err: error }, 'a hint from another process could not be followed')
      }
    }
  }
}
