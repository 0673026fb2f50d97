/**
 * Group commit: while the writer commits, calls queue; when it is idle, all that queued goes over as one tick,
 * which is one transaction. Nothing ever waits for a timer.
 */
import type { Clock } from '../../core/clock.ts'
import type { NewEvent } from '../port.ts'
import { BytePacker, ByteUnpacker } from './packed-bytes.ts'
import { type Call, packCall, type Tick, type TickReply, toError, unpackResult } from './tick.ts'

/** Publishes of no more deliveries go before claims and outcomes that wait as well: they hold them up for little. */
const maxPassing = 32
/** Unless one of those has waited for so long. */
const maxPassedMs = 30
/** Publishes beyond these wait for the next tick; a bigger one goes alone. */
const maxDeliveriesPerTick = 1000
const maxBytesPerTick = 4 * 1024 * 1024

interface Queued {
  readonly call: Call
  /** On the elapsed scale. */
  readonly since: number
  resolve(value: never): void
  reject(error: Error): void
}

export interface GroupCommitOptions {
  readonly clock: Pick<Clock, 'now' | 'elapsed'>
  readonly send: (tick: Tick) => Promise<TickReply>
}

export class GroupCommit {
  readonly #options: GroupCommitOptions
  #queue: Queued[] = []
  #running: Promise<void> | null = null
  #commits = 0

  constructor(options: GroupCommitOptions) {
    this.#options = options
  }

  /** Transactions committed so far. */
  get commits(): number {
    return this.#commits
  }

  call<Value>(call: Call): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      this.#queue.push({ call, since: this.#options.clock.elapsed(), resolve, reject })
      // Started in a microtask, so that calls made in one go share the first tick too.
      this.#running ??= Promise.resolve().then(() => this.#drain())
    })
  }

  /** Resolves when nothing is queued or running. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) await this.#runTick(this.#takeTick())
    this.#running = null
  }

  async #runTick(queued: readonly Queued[]): Promise<void> {
    const packer = new BytePacker()
    try {
      const calls = queued.map(({ call }) => packCall(call, packer))
      const reply = await this.#options.send({ now: this.#options.clock.now(), calls, bytes: packer.pack() })
      this.#commits = reply.commits
      const bytes = new ByteUnpacker(reply.bytes)
      for (const [index, { call, resolve, reject }] of queued.entries()) {
        const result = reply.results[index]
        if (result === undefined) throw new Error('the writer left a call without an answer')
        unpackResult(call, result, bytes)
        if (result.ok) resolve(result.value as never)
        else reject(toError(result.failure))
      }
    } catch (error) {
      for (const { reject } of queued) reject(error as Error)
    }
  }

  /** In order, but publishes that no longer fit wait, and a few of them pass claims and outcomes. */
  #takeTick(): readonly Queued[] {
    const passing = this.#publishesArePassing()
    const taken: Queued[] = []
    const left: Queued[] = []
    let deliveries = 0
    let bytes = 0
    let isFull = false
    for (const queued of this.#queue) {
      const { call } = queued
      if (call.name !== 'publish') {
        if (passing && isBulk(queued)) left.push(queued)
        else taken.push(queued)
        continue
      }
      const weight = weigh(call.args[0] as readonly NewEvent[])
      const fits =
        deliveries + weight.deliveries <= maxDeliveriesPerTick && bytes + weight.bytes <= maxBytesPerTick
      if (isFull || (deliveries > 0 && !fits)) {
        isFull = true
        left.push(queued)
        continue
      }
      deliveries += weight.deliveries
      bytes += weight.bytes
      taken.push(queued)
    }
    this.#queue = left
    return taken
  }

  #publishesArePassing(): boolean {
    const oldestBulk = this.#queue.find(isBulk)?.since ?? Number.POSITIVE_INFINITY
    if (this.#options.clock.elapsed() - oldestBulk >= maxPassedMs) return false
    const publishes = this.#queue.filter(({ call }) => call.name === 'publish')
    const deliveries = publishes.reduce(
      (sum, { call }) => sum + weigh(call.args[0] as readonly NewEvent[]).deliveries,
      0,
    )
    return deliveries > 0 && deliveries <= maxPassing
  }
}

function isBulk({ call }: Queued): boolean {
  return call.name === 'claim' || call.name === 'recordOutcomes'
}

function weigh(batch: readonly NewEvent[]): { readonly deliveries: number; readonly bytes: number } {
  let deliveries = 0
  let bytes = 0
  for (const event of batch) {
    deliveries += Math.max(1, event.deliveries.length)
    bytes += event.payload.byteLength
  }
  return { deliveries, bytes }
}
