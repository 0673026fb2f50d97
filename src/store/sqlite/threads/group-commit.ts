/**
 * Group commit: while the writer commits, calls queue; when it is idle, all that queued goes over as one tick,
 * which is one transaction; `WriterSchedule` says what has to wait for the next, and what may go over before the writer
 * is idle, so that it need not wait for this thread. Outcomes that wait for company come along.
 */

import type { TimeLine } from '../../../core/time-line.ts'
import type { StoreTime } from '../../port.ts'
import { BytePacker, ByteUnpacker } from './packed-bytes.ts'
import { type Call, packCall, type Tick, type TickReply, toError, unpackResult } from './tick.ts'
import type { Waiting, WriterSchedule } from './writer-schedule.ts'

interface Queued extends Waiting {
  resolve(value: never): void
  reject(error: Error): void
}

export interface GroupCommitOptions {
  readonly time: StoreTime
  readonly schedule: Pick<WriterSchedule, 'admit' | 'take' | 'mayFollow' | 'company'>
  readonly send: (tick: Tick) => Promise<TickReply>
}

export class GroupCommit {
  readonly #options: GroupCommitOptions
  #queue: Queued[] = []
  #running: Promise<void> | null = null
  /** Of a tick that was sent while another one ran. */
  #following: Promise<void> | null = null
  #commits = 0
  #toldLine: TimeLine

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#toldLine = options.time.line
  }

  /** Transactions committed so far. */
  get commits(): number {
    return this.#commits
  }

  call<Value>(call: Call): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      this.#queue.push({ ...this.#options.schedule.admit(call), resolve, reject })
      // Started in a microtask, so that calls made in one go share the first tick too.
      if (this.#running === null) this.#running = Promise.resolve().then(() => this.#drain())
      else this.#following ??= Promise.resolve().then(() => this.#follow())
    })
  }

  /** Resolves when nothing is queued or running. */
  async idle(): Promise<void> {
    while (this.#running !== null || this.#following !== null) await (this.#running ?? this.#following)
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) await this.#runTick(this.#takeTick())
    this.#running = null
  }

  async #follow(): Promise<void> {
    if (this.#options.schedule.mayFollow(this.#queue)) await this.#runTick(this.#takeTick())
    this.#following = null
  }

  async #runTick(queued: readonly Queued[]): Promise<void> {
    const packer = new BytePacker()
    try {
      const calls = queued.map(({ call }) => packCall(call, packer))
      const now = this.#options.time.now()
      const reply = await this.#options.send({ now, line: this.#newLine(), calls, bytes: packer.pack() })
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

  /** Told to the writer once. */
  #newLine(): TimeLine | undefined {
    const { line } = this.#options.time
    if (line === this.#toldLine) return undefined
    this.#toldLine = line
    return line
  }

  #takeTick(): readonly Queued[] {
    this.#options.schedule.company?.come()
    const { taken, left } = this.#options.schedule.take(this.#queue)
    this.#queue = left
    return taken
  }
}
